"""One module a network plugin, each with its ``PROFILE``."""

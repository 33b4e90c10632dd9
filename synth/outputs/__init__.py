"""The folder that learning leaves: written whole or not at all."""

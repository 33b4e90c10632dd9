"""Baselines: published and obvious ways from logs to policies."""

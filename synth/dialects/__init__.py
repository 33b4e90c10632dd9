"""Policies as text: one package for each notation."""

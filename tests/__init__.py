"""Tests of synth: the folders mirror the package."""

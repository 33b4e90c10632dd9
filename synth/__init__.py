"""Minimal Kubernetes NetworkPolicies, learned from flow logs and proved by replay."""

from typing import Final

__version__: Final = "0.1.0"

"""The metrics, one table; each is a small pure function of what was proposed and what is true."""

from benchmarks.judge.metrics.table import METRICS, Metric

__all__ = ["METRICS", "Metric"]

"""Made-up clusters and their flow logs, with the truth about them; the README says how."""

from datasets.generator.generate import generate
from datasets.generator.options import ATTACKS, DAY, HOUR, START, Options, changed
from datasets.generator.presets import PRESETS
from datasets.generator.truth import Outside, TrueEdge, TrueWorkload, Truth, read_truth

__all__ = [
    "ATTACKS",
    "DAY",
    "HOUR",
    "PRESETS",
    "START",
    "Options",
    "Outside",
    "TrueEdge",
    "TrueWorkload",
    "Truth",
    "changed",
    "generate",
    "read_truth",
]

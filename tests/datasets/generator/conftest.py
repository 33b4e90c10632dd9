"""One small cluster with every attack, made once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from datasets.generator import ATTACKS, Options, Truth, generate

EVERYTHING = Options(
    workloads=40,
    days=2,
    ahead=0.5,
    connections=1_500,
    codec="snappy",
    attacks=ATTACKS,
    rollouts=0.4,
    restarts=0.3,
    births=0.03,
    deaths=0.03,
    edge_churn=0.004,
    blue_green=0.2,
    exposed=0.2,
    one_way=0.15,
    udp=0.15,
    peers=0.8,
    cdn=0.2,
    partners=0.2,
    cron_jobs=0.2,
    probes=0.02,
    reuse=0.9,
    gaps=3,
)
"""Every knob turned up, so that a small cluster shows what a large one would."""


@dataclass(frozen=True, slots=True)
class Made:
    """A folder, and the truth about it."""

    folder: Path
    truth: Truth


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("generated")
    return Made(folder, generate(EVERYTHING, folder))

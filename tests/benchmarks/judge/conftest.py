"""One small case, made and read once for all tests: with attacks, and addresses that move."""

import pytest

from benchmarks.judge.case import Case, Prepared, prepare
from benchmarks.judge.contestants import CONTESTANTS, ORACLE
from benchmarks.judge.proposal import Proposal
from datasets.generator import Options

SMALL = Options(
    workloads=20,
    days=2,
    ahead=1,
    seed=2,
    connections=4_000,
    hot=0.2,
    codec="snappy",
    formats=("conntrack",),
    attacks=("fast-scan", "movement", "beacon"),
)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Return the case, all that judging needs read already, so that no defect touches it."""
    made = prepare(Case(SMALL, reruns=True), tmp_path_factory.mktemp("judge"))
    for world in (made.plain, made.repaired):
        assert len(world.held_out_truth.keys)
        assert len(world.learnt_truth.keys)
    return made


@pytest.fixture(scope="session")
def oracle(small: Prepared) -> Proposal:
    return CONTESTANTS[ORACLE].propose(small)


@pytest.fixture(scope="session")
def synth(small: Prepared) -> Proposal:
    return CONTESTANTS["synth"].propose(small)

"""Cases on disk, read again by the real readers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.judge.case import Case, Prepared, link_earlier_days, prepare
from benchmarks.judge.contestants import CONTESTANTS
from benchmarks.judge.learners import answer_truly, run
from benchmarks.judge.metrics import METRICS, contamination
from benchmarks.judge.names import NODE
from benchmarks.judge.proposal import Proposal
from benchmarks.judge.repair import ROLE_LABEL
from datasets.generator import changed
from synth.inventory.endpoint import Kind
from synth.learner.model import Answer


def test_what_the_readers_see_is_what_is_true(small: Prepared) -> None:
    for world in (small.plain, small.repaired):
        for edges, truth in (
            (world.capture.settled, world.learnt_truth),
            (world.held_out.settled, world.held_out_truth),
        ):
            known = np.array([key is not None for key in truth.keys])
            untrue = known & ~truth.legitimate & ~truth.hostile
            # Probes from outside are nobody's edges, and nobody answers them.
            assert not edges.answered[untrue].any()
            assert edges.records[truth.legitimate].sum() > 0.9 * edges.records.sum()


def test_the_oracle_is_shown_no_attack_to_learn_from_but_is_judged_on_the_same_days(
    small: Prepared,
) -> None:
    assert small.plain.learnt_truth.hostile.any()
    assert not small.repaired.learnt_truth.hostile.any()
    assert small.repaired.logs_ahead == small.plain.logs_ahead
    plain, repaired = (
        int(world.capture.settled.records[world.learnt_truth.legitimate].sum())
        for world in (small.plain, small.repaired)
    )
    assert abs(plain - repaired) < 0.001 * plain


def test_in_the_repaired_cluster_workloads_are_true_roles(small: Prepared) -> None:
    role = {one.key: one.role for one in small.truth.workloads}
    names = small.repaired.names.workload_of
    found = set()
    for one in small.repaired.learnt.inventory.endpoints:
        if one.kind is Kind.POD:
            true = names[one.namespace, one.workload]
            assert dict(one.labels)[ROLE_LABEL] == true.partition("/")[2]
            found.add(true)
    assert found <= set(role.values())
    assert len(small.truth.roles) < len(role)  # there are twins


def test_in_the_repaired_cluster_each_role_has_one_owner(small: Prepared) -> None:
    names = small.repaired.names.workload_of
    owners = [
        names.get((one.namespace, one.key), f"not repaired: {one.key}")
        for one in small.repaired.learnt.inventory.workloads
        if one.exists
    ]
    assert sorted(owners) == sorted({one.role for one in small.truth.workloads})


def test_the_oracle_answers_by_the_truth(small: Prepared) -> None:
    world = small.plain
    result = run(world)
    answers, truth = answer_truly(result, world.names), world.names.judge(result.edges)
    about = [one for one in result.learned.questions if one.edge >= 0 and one.acceptable]
    assert {truth.attack[one.edge] for one in about} > {"", "beacon"}
    for one in about:
        fair = bool(truth.legitimate[one.edge])
        assert answers[one.key] == (Answer.ACCEPT if fair else Answer.REFUSE)


def test_records_in_review_are_those_of_benign_edges_that_are_not_accepted(
    small: Prepared, synth: Proposal, oracle: Proposal
) -> None:
    truth, records = small.plain.learnt_truth, synth.edges.records
    row = int(np.flatnonzero(truth.legitimate)[0])
    own = truth.keys[row]
    assert own is not None
    waits = replace(synth, quarantined=frozenset({own}), accepted=np.zeros(len(records), np.bool_))
    rows = [at for at, key in enumerate(truth.keys) if key == own]
    expected = records[rows].sum() / records[truth.legitimate].sum()
    assert contamination.benign_records(small, waits, oracle) == pytest.approx(expected)
    taken = replace(waits, accepted=np.ones(len(records), np.bool_))
    assert contamination.benign_records(small, taken, oracle) == 0


def test_a_made_case_is_not_made_again_and_never_taken_for_another(
    small: Prepared, tmp_path: Path
) -> None:
    stamp = (small.folder / "made" / "truth" / "truth.json").stat().st_mtime_ns
    assert prepare(small.case, small.folder).truth.options == small.truth.options
    assert (small.folder / "made" / "truth" / "truth.json").stat().st_mtime_ns == stamp
    other = replace(small.case, options=changed(small.case.options, seed=3))
    with pytest.raises(ValueError, match="Got another case"):
        prepare(other, small.folder)
    with pytest.raises(ValueError, match="day ahead"):
        prepare(Case(changed(small.case.options, ahead=0)), tmp_path)


def test_the_day_before_lacks_the_last_day_only(tmp_path: Path) -> None:
    for name in ("2025/03/03/a", "2025/03/03/b", "2025/03/04/a"):
        path = tmp_path / "vpc" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    link_earlier_days(tmp_path / "vpc", tmp_path / "earlier")
    found = sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("earlier/**/*.parquet"))
    assert found == ["earlier/2025/03/03/a.parquet", "earlier/2025/03/03/b.parquet"]


def test_a_node_stands_for_masked_clients_alone(small: Prepared) -> None:
    behind = {key for key in small.plain.names.edges if key[0] == NODE}
    masked = [one for one in small.truth.edges if one.masked]
    assert {(NODE, one.server, one.protocol, one.port) for one in masked} == behind


@pytest.mark.slow
@pytest.mark.parametrize("contestant", sorted(CONTESTANTS))
def test_every_contestant_has_every_figure(
    small: Prepared, oracle: Proposal, contestant: str
) -> None:
    proposal = CONTESTANTS[contestant].propose(small)
    figures = {one.name: one.measure(small, proposal, oracle) for one in METRICS}
    assert figures["replay blocked"] == 0
    assert figures["replay disputed"] == 0
    assert figures["determinism"] == 1
    if contestant == "oracle":
        assert figures["excess false blocks"] == 0
        assert figures["surface to oracle"] == 1

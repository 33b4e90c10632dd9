"""Reports of coverage and differences, as people see them; ``--golden-update`` rewrites them."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from synth.evaluator.coverage import Figure, Figures, Scope
from synth.evaluator.diff import Added, Changed, Removed
from synth.evaluator.outside import without
from synth.evaluator.over_permission import OverPermission
from synth.evaluator.reach import End, Reach
from synth.evaluator.sides import RuleRef
from synth.evaluator.spans import span_of
from synth.evaluator.usage import RuleUse
from synth.policy import PolicySet, PortSet, Protocol
from synth.proof.coverage import CoverageResult, Gap, Isolation
from synth.proof.diff import DiffResult, Judged, VerdictChange
from synth.proof.replay import Verdict
from synth.proof.results import InputFile
from synth.reports import coverage, diff
from synth.reports.markdown import to_markdown
from synth.reports.page import Page
from synth.reports.text import to_text
from tests.reports import sample
from tests.reports.conftest import Golden

INPUTS = (InputFile("logs/node1.log", "conntrack-text", sample.RECORDS, "00"),)
SHARE = Figure(1_230_738, 1_000_000, 230_730, 8, 30_500)
NONE = Figure()


def figures(records: Figure, measured: int, **apart: int) -> Figures:
    edges = Figure(5, 2, 2, 1, 1)
    volume = Figure(9_000, 8_000, 1_000, 0, 0)
    return Figures(records, edges, volume, measured, apart)


COVERAGE = CoverageResult(
    figures={
        Scope.INGRESS: figures(SHARE, 1_230_738, **{"from the pod's own node": 12}),
        Scope.EGRESS: figures(replace(SHARE, undetermined=0), 9),
        Scope.BOTH: figures(NONE, 0),
    },
    pods=Isolation(7, 4, 2, 1),
    rules=(
        RuleUse(RuleRef("shop", "db", sample.IN, 0), sample.FROM_API, 1, 238),
        RuleUse(RuleRef("shop", "db", sample.IN, 1), sample.FROM_NODES, 0, 0),
    ),
    over_permission=OverPermission(
        9, 4, {sample.IN: {4: 4_294_967_296, 6: 1 << 128}, sample.OUT: {4: 1, 6: 0}}
    ),
    gaps=(
        Gap("shop/web", "shop/api", "TCP", 5000, "covered", "undetermined", 30_500, 7, "logs/a:7"),
        Gap("users/client", "shop/db", "TCP", 3306, "uncovered", "denied", 2, 0, "logs/a:9"),
        Gap("shop/api", "203.0.113.10", "TCP", 443, "uncovered", "", 1, 0, "logs/a:482"),
    ),
    inputs=INPUTS,
    policies=PolicySet.of([sample.policy(sample.DB, (sample.FROM_API, sample.FROM_NODES))]),
    skipped=sample.SKIPPED,
    warnings=("shop/db ingress[0] is broad: it admits everyone",),
)

DB_OLD = sample.policy(sample.DB, (sample.FROM_API,))
DB_NEW = sample.policy(sample.DB, (sample.FROM_API, sample.FROM_NODES))
ABROAD = End(spans=without([span_of("0.0.0.0/0")], [span_of("10.0.0.0/8")]))
WEB, DB = End("shop/web"), End("shop/db")
PORT = PortSet.port(Protocol.TCP, 3306)
DIFF = DiffResult(
    "old",
    "new",
    (
        Changed(DB_OLD, DB_NEW),
        Removed(sample.policy(sample.WEB, (sample.FROM_USERS,))),
        Changed(sample.policy(sample.API, ()), replace(sample.policy(sample.API, ()), name="app")),
    ),
    (
        Changed(Reach(ABROAD, (DB,), PortSet.every()), Reach(ABROAD, (DB,), PORT)),
        Added(Reach(WEB, (ABROAD,), PORT | PortSet.port(Protocol.UDP, 53))),
        Removed(Reach(WEB, (DB,), PORT, some=True)),
    ),
    Judged(
        {Verdict.ALLOWED: 1_230_736, Verdict.DENIED: 4, Verdict.UNDETERMINED: 0},
        {Verdict.ALLOWED: 1_230_500, Verdict.DENIED: 240, Verdict.UNDETERMINED: 0},
        (
            VerdictChange("shop/api", "shop/db", "TCP", 3306, 238, "logs/a:7", *list(Verdict)[:2]),
            VerdictChange("shop/web", "shop/api", "TCP", 80, 2, "logs/a:8", *list(Verdict)[1::-1]),
        ),
        INPUTS,
        sample.SKIPPED,
    ),
    beside=("kube-system/dns",),
    elsewhere=("CiliumNetworkPolicy shop/l7",),
    warnings=("the cluster files do not cover the whole capture",),
)
YAML_ONLY = DiffResult("old", "new", DIFF.policies[:1])
SAME = DiffResult("old", "new", (), (), replace(DIFF.judged, changes=()) if DIFF.judged else None)

PAGES: dict[str, Callable[[], Page]] = {
    "coverage": lambda: coverage.to_page(COVERAGE, coverage.Goal(Scope.INGRESS, 90)),
    "diff": lambda: diff.to_page(DIFF),
    "diff-yaml": lambda: diff.to_page(YAML_ONLY),
    "diff-same": lambda: diff.to_page(SAME),
}
VALUES: dict[str, Callable[[], object]] = {
    "coverage": lambda: coverage.to_json(COVERAGE),
    "diff": lambda: diff.to_json(DIFF),
}


@pytest.mark.parametrize("name", PAGES)
def test_text(name: str, golden: Golden) -> None:
    text = to_text(PAGES[name]())
    assert "\x1b" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    golden(f"{name}.txt", text)


@pytest.mark.parametrize("name", PAGES)
def test_markdown(name: str, golden: Golden) -> None:
    golden(f"{name}.md", to_markdown(PAGES[name]()))


@pytest.mark.parametrize("name", VALUES)
def test_json(name: str, golden: Golden) -> None:
    golden(f"{name}.json", json.dumps(VALUES[name](), indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", PAGES)
def test_narrow_terminals_lose_no_digit(name: str) -> None:
    wide, narrow = (to_text(PAGES[name](), width=width) for width in (200, 60))
    assert "…" not in narrow
    assert narrow.count("1,230,738") == wide.count("1,230,738")


def test_a_patch_is_coloured_only_where_colour_is_welcome() -> None:
    text = to_text(PAGES["diff-yaml"](), colour=True)
    assert "\x1b[32m  +  - " in text
    assert "\x1b" not in to_text(PAGES["diff-yaml"]())


def test_bytes_are_shown_only_where_nearly_all_are_known() -> None:
    text = to_text(PAGES["coverage"]())
    assert "By bytes: Ingress 88.9 %\n" in text
    assert "Ingress 81.3 %, Egress 81.3 %, Both sides -\n" in text


@pytest.mark.parametrize(
    ("percent", "told"),
    [(81, "at least the 81 % asked for"), (82, "below the 82 % asked for")],
)
def test_the_goal_is_told(percent: float, told: str) -> None:
    assert told in to_text(coverage.to_page(COVERAGE, coverage.Goal(Scope.INGRESS, percent)))


def test_a_goal_for_nothing_cannot_be_shown() -> None:
    text = to_text(coverage.to_page(COVERAGE, coverage.Goal(Scope.BOTH, 1)))
    assert "Both sides: no record, so 1 % cannot be shown." in text


def test_without_a_cluster_connections_are_not_spoken_of() -> None:
    assert "Connections" not in to_text(PAGES["diff-yaml"]())
    assert YAML_ONLY.differs
    assert not SAME.differs

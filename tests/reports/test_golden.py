"""Whole reports, as people see them; rewrite with ``--golden-update`` and read the difference."""

import json
from typing import Any

import pytest

from synth.evaluator.explanation import (
    Exemption,
    Explanation,
    Failure,
    Miss,
    Reason,
    Term,
)
from synth.evaluator.sides import RuleRef
from synth.flows import Microseconds
from synth.ledger import Example, Ledger
from synth.proof.explained import FlowAnswer, Variant
from synth.reports import (
    describe,
    explain,
    explain_denied,
    explain_row,
    explain_rule,
    learn,
    replay,
)
from synth.reports.learn_html import to_html
from synth.reports.markdown import to_markdown
from synth.reports.page import Page
from synth.reports.text import to_text
from synth.sources.describe import Description
from tests.reports import explained, sample
from tests.reports.conftest import Golden

FOUND = (
    Description(
        path="logs/a.log",
        source="vpc",
        records=1_000,
        flows=990,
        first=Microseconds(sample.START),
        last=Microseconds(sample.START + 3600 * sample.SECOND),
        fields=("srcaddr", "dstaddr"),
        missing=("tcp-flags",),
        skipped=Ledger.of("no-data", 10, Example("logs/a.log", 5)),
    ),
    Description("logs/b.log", "conntrack-text", 0, 0, None, None, (), ()),
)


def explanation() -> Explanation:
    client, server = sample.pods("shop", "web"), sample.pods("shop", "db")
    ref = RuleRef("shop", "db", sample.IN, 0)
    nothing: dict[str, Any] = {"isolated_by": (), "admitted_by": (), "closest": ()}
    egress = Reason(
        direction=sample.OUT,
        subject=client,
        peer=server,
        allowed=True,
        exemption=Exemption.NOT_ISOLATED,
        **nothing,
    )
    why = "shop/web is not role=api (it has role=web)"
    miss = Miss(ref, (Failure(Term.PEER, why),), sample.FROM_API)
    denied = {"isolated_by": (("shop", "db"),), "closest": (miss,)}
    ingress = Reason(
        direction=sample.IN,
        subject=server,
        peer=client,
        allowed=False,
        exemption=None,
        **nothing | denied,
    )
    return Explanation(client, server, 6, 3306, "denied", egress, ingress)


def flow_answer() -> FlowAnswer:
    note = "shop/web has 2 kinds of pods; the newest are taken (track=canary)"
    variant = Variant("track=stable", "", "allowed")
    return FlowAnswer(explanation(), (note,), (variant,))


PAGES = {
    "learn": lambda: learn.to_page(sample.result(), "learned"),
    "learn-blocked": lambda: learn.to_page(sample.blocked(), "learned"),
    "replay": lambda: replay.to_page(sample.replay_result()),
    "describe": lambda: describe.to_page(FOUND),
    "explain": lambda: explain.to_page(flow_answer()),
    "explain-row": lambda: explain_row.to_page(explained.record(explanation())),
    "explain-row-skipped": lambda: explain_row.to_page(explained.skipped()),
    "explain-rule": lambda: explain_rule.to_page(explained.rule()),
    "explain-denied": lambda: explain_denied.to_page(explained.denied()),
}
VALUES = {
    "learn": lambda: learn.to_json(sample.result()),
    "replay": lambda: replay.to_json(sample.replay_result()),
    "describe": lambda: describe.to_json(FOUND),
    "explain": lambda: explain.to_json(flow_answer()),
    "explain-row": lambda: explain_row.to_json(explained.record(explanation())),
    "explain-row-skipped": lambda: explain_row.to_json(explained.skipped()),
    "explain-rule": lambda: explain_rule.to_json(explained.rule()),
    "explain-denied": lambda: explain_denied.to_json(explained.denied()),
}


def page(name: str) -> Page:
    return PAGES[name]()


@pytest.mark.parametrize("name", PAGES)
def test_text(name: str, golden: Golden) -> None:
    text = to_text(page(name))
    assert "\x1b" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    golden(f"{name}.txt", text)


@pytest.mark.parametrize("name", PAGES)
def test_markdown(name: str, golden: Golden) -> None:
    golden(f"{name}.md", to_markdown(page(name)))


@pytest.mark.parametrize("name", VALUES)
def test_json(name: str, golden: Golden) -> None:
    golden(f"{name}.json", json.dumps(VALUES[name](), indent=2, ensure_ascii=False) + "\n")


def test_html(golden: Golden) -> None:
    golden("learn.html", to_html(sample.result()))


@pytest.mark.parametrize("name", PAGES)
def test_narrow_terminals_lose_no_digit(name: str) -> None:
    wide = to_text(page(name), width=200)
    narrow = to_text(page(name), width=60)
    assert "…" not in narrow
    assert narrow.count("1,230,738") == wide.count("1,230,738")

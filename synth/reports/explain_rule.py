"""What a rule rests on, and what else it admits, as a page and as JSON."""

from dataclasses import asdict

from synth.proof.explained import Cell, Resting, RuleAnswer
from synth.reports.envelope import envelope
from synth.reports.figures import counted, number
from synth.reports.page import Block, Column, Items, Page, Prose, Section, Table, Tone, shortened

MOST_ROWS = 15


def to_page(answer: RuleAnswer) -> Page:
    """Return the rule, what it rests on, and what it admits that nobody was seen to use."""
    return Page(
        str(answer.ref),
        (
            Section("The rule", _rule(answer)),
            Section("What it rests on", _resting(answer)),
            Section("What it admits besides", _others(answer)),
            Section("What it admits that was never seen", _unseen(answer)),
        ),
    )


def to_json(answer: RuleAnswer) -> dict[str, object]:
    """Return the answer as plain values."""
    return envelope(
        {
            "rule": str(answer.ref),
            "admits": str(answer.rule),
            "told": answer.told,
            "subjects": list(answer.subjects),
            "declared": answer.declared or None,
            "source": answer.source,
            "edge_count": answer.edge_count,
            "records": answer.records,
            "first_seen": first_seen(answer),
            "last_seen": last_seen(answer),
            "edges": [asdict(one) for one in answer.edges],
            "others": [asdict(one) for one in answer.others],
            "cells": answer.cells,
            "unseen": [asdict(one) for one in answer.unseen or ()],
            "addresses": answer.addresses,
            "addresses_seen": answer.addresses_seen,
        }
    )


def first_seen(answer: RuleAnswer) -> str | None:
    """Return when the first of its edges was seen first."""
    return min((one.first_seen for one in answer.edges if one.first_seen), default=None)


def last_seen(answer: RuleAnswer) -> str | None:
    """Return when the last of its edges was seen last."""
    return max((one.last_seen for one in answer.edges if one.last_seen), default=None)


def _rule(answer: RuleAnswer) -> tuple[Block, ...]:
    who = ", ".join(answer.subjects) or "no pod that is known"
    blocks: list[Block] = [Prose(f"It admits {answer.told}, for {who}.")]
    if answer.told != str(answer.rule):
        blocks.append(Prose(f"As written: {answer.rule}.", Tone.QUIET))
    if answer.declared:
        blocks.append(Prose(f"Declared, not learned: {answer.declared}."))
    return tuple(blocks)


def _resting(answer: RuleAnswer) -> tuple[Block, ...]:
    if not answer.edges:
        return (Prose("No accepted record: nothing that was seen needs it.", Tone.BAD),)
    busiest = answer.edges[0]
    total = f"{counted(answer.edge_count, 'edge')}, {counted(answer.records, 'record')}"
    first, last = first_seen(answer), last_seen(answer)
    times = f", {first} to {last}" if first else ", without times"
    return (
        Prose(f"{total} ({answer.source}){times}."),
        Prose(f"Busiest: {_told(busiest)}. Example: {busiest.example}."),
        *_table(answer.edges),
    )


def _others(answer: RuleAnswer) -> tuple[Block, ...]:
    if not answer.others:
        return ()
    return Prose("Traffic that the screen did not accept:"), *_table(answer.others)


def _table(edges: tuple[Resting, ...]) -> tuple[Block, ...]:
    columns = (
        Column("Client"),
        Column("Server"),
        Column("Port"),
        Column("Records", number=True),
        Column("Screening"),
    )
    rows = tuple(
        (one.client, one.server, _port(one), number(one.records), one.screening) for one in edges
    )
    return shortened(Table(columns, rows), MOST_ROWS)


def _unseen(answer: RuleAnswer) -> tuple[Block, ...]:
    unseen = answer.unseen or ()
    of = f"{number(len(unseen))} of {counted(answer.cells, 'cell')}"
    what = "client, server and known port: admitted, and never seen"
    blocks: list[Block] = [Prose(f"{of} ({what}).", Tone.BAD if unseen else Tone.GOOD)]
    if unseen:
        more = len(unseen) - MOST_ROWS
        rest = [f"and {number(more)} more; --format json lists all"] if more > 0 else []
        blocks.append(Items((*(_told(one) for one in unseen[:MOST_ROWS]), *rest)))
    if answer.rule.everyone:
        blocks.append(Prose("It admits every address, inside and outside.", Tone.BAD))
    elif answer.addresses:
        seen = number(answer.addresses_seen)
        blocks.append(Prose(f"Addresses in its blocks: {number(answer.addresses)}; seen: {seen}."))
    return tuple(blocks)


def _told(one: Resting | Cell) -> str:
    return f"{one.client} → {one.server} {_port(one)}"


def _port(one: Resting | Cell) -> str:
    return f"{one.protocol} {one.port}"

"""Who may reach whom, as a page, as JSON and as CSV."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, fields
from io import StringIO

from synth.evaluator.connected import Connected, Connection
from synth.evaluator.outside import shorthand
from synth.evaluator.reach import End, Reach, Standing
from synth.reports.enforcement import (
    loud_sections,
    plain_enforcement,
    quiet_sections,
    warnings_about,
)
from synth.reports.envelope import envelope
from synth.reports.figures import counted, number
from synth.reports.page import Block, Column, Items, Page, Prose, Section, Table, Tone, shortened

MOST_NAMES = 20
"""How many names a cell holds; JSON and CSV hold all."""
WORDS = {"all": "isolated", "some": "some pods", "none": "open"}
Row = tuple[str, str, str]


def to_page(result: Connected) -> Page:
    """Return who is isolated, and who may reach whom: inside, from outside, to outside, nodes."""
    inside = [one for one in result.reach if one.source.name and one.destinations[0].name]
    outside = [one for one in result.reach if not (one.source.name and one.destinations[0].name)]
    of_nodes = [one for one in outside if one.source.node or one.destinations[0].node]
    others = [one for one in outside if one not in of_nodes]
    return Page(
        f"synth connectivity: {counted(len(result.standing), result.level)}"
        f" under {number(len(result.policies))}"
        f" {'policy' if len(result.policies) == 1 else 'policies'}",
        (
            *loud_sections(result.enforcement),
            Section("Isolated by policies", _standing(result.standing)),
            Section("Inside the cluster", _inside(inside, result)),
            Section("From outside", _table(_rows(one for one in others if not one.source.name))),
            Section("To outside", _table(_rows(one for one in others if one.source.name))),
            Section("Nodes", _nodes(of_nodes)),
            Section("Not listed", _items(result.left_out)),
            Section("Not evaluated", _items(result.elsewhere)),
            *quiet_sections(result.enforcement),
            Section("Warnings", _items(result.warnings)),
        ),
    )


def to_json(result: Connected) -> dict[str, object]:
    """Return the keys that programs may rely on, and beside them what a reader should know."""
    return envelope(
        {
            "connections": [asdict(one) for one in result.connections()],
            "level": result.level,
            "isolated": [asdict(one) for one in result.standing],
            "policies": list(result.policies),
            "not_listed": list(result.left_out),
            "elsewhere": list(result.elsewhere),
            "cni": plain_enforcement(result.enforcement),
            "warnings": list(result.warnings),
        }
    )


def to_csv(result: Connected) -> str:
    """Return the connections as CSV, below a line of headings."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(one.name for one in fields(Connection))
    writer.writerows(astuple(one) for one in result.connections())
    return stream.getvalue()


def warnings_of(result: Connected) -> tuple[str, ...]:
    """Return what a user should know even if nobody reads the report."""
    named = tuple(f"{one}: not evaluated" for one in result.elsewhere)
    return (*warnings_about(result.enforcement), *result.warnings, *named)


def _standing(standing: Sequence[Standing]) -> tuple[Block, ...]:
    """Return which parties are isolated in a direction; those alike share a row."""
    alike: dict[tuple[str, str], list[str]] = {}
    for one in standing:
        alike.setdefault((WORDS[one.ingress], WORDS[one.egress]), []).append(one.name)
    rows = [(_listed(names), *words) for words, names in alike.items()]
    return _shown(("Pods of", "Ingress", "Egress"), sorted(rows))


def _inside(reach: Sequence[Reach], result: Connected) -> tuple[Block, ...]:
    if not reach:
        return (Prose("No workload may reach another.", Tone.QUIET),) if result.parties else ()
    return _table(_rows(reach, result.parties))


def _nodes(reach: Sequence[Reach]) -> tuple[Block, ...]:
    if not reach:
        return ()
    told = "Besides, every node reaches the pods that run on it, whatever policies say."
    return (*_table(_rows(reach)), Prose(told, Tone.QUIET))


def _rows(reach: Iterable[Reach], parties: Sequence[str] = ()) -> list[Row]:
    """Return source, destination and ports; sources that reach the same share a row."""
    alike: dict[tuple[str, str], list[str]] = {}
    for one in reach:
        some = " (some pods)" if one.some else ""
        told = (_destination(one, parties), f"{one.ports}{some}")
        alike.setdefault(told, []).append(_named(one.source))
    return [(_listed(sources), *told) for told, sources in alike.items()]


def _destination(one: Reach, parties: Sequence[str]) -> str:
    """Return the names of the destinations, or that they are all there are."""
    names = [_named(end) for end in one.destinations]
    missing = set(parties) - set(names)
    if len(parties) > 2:  # noqa: PLR2004 - two are named as shortly
        if not missing:
            return "everyone"
        if missing == {one.source.name}:
            return "everyone else"
    return _listed(names)


def _named(end: End) -> str:
    return end.name or "; ".join(shorthand(end.spans))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    shown = ", ".join(names[:MOST_NAMES])
    return f"{shown} and {number(more)} more" if more > 0 else shown


def _table(rows: Sequence[Row]) -> tuple[Block, ...]:
    return _shown(("From", "To", "Ports"), rows)


def _shown(titles: Sequence[str], rows: Sequence[Row]) -> tuple[Block, ...]:
    if not rows:
        return ()
    return shortened(Table(tuple(map(Column, titles)), tuple(rows)))


def _items(texts: Sequence[str]) -> tuple[Block, ...]:
    return (Items(tuple(texts)),) if texts else ()

"""What ``synth coverage`` found, as a page and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from synth.evaluator.coverage import Figure, Figures, Scope
from synth.evaluator.over_permission import OverPermission
from synth.evaluator.usage import RuleUse
from synth.policy.model import Direction
from synth.proof.coverage import CoverageResult, Gap, Isolation
from synth.reports.counts import ledger_table, plain_ledger
from synth.reports.enforcement import (
    loud_sections,
    plain_enforcement,
    quiet_sections,
    warnings_about,
)
from synth.reports.envelope import envelope
from synth.reports.figures import counted, number, share
from synth.reports.page import Block, Column, Items, Page, Prose, Section, Table, Tone
from synth.reports.replay import files_blocks, folder_of

MOST_GAPS = 20
MOST_RULES = 20
"""How many a page lists; JSON lists all."""
MEASURED = 0.9
"""The part of the records that must tell their bytes for a page to show a share of bytes."""
_SCOPES = {
    Scope.INGRESS: "Ingress",
    Scope.EGRESS: "Egress",
    Scope.BOTH: "Both sides",
}
_ROWS = {
    "covered": "covered",
    "uncovered": "uncovered",
    "denied": "denied",
    "total": "with a pod there",
}
_BILLION = 10**9


@dataclass(frozen=True, slots=True)
class Goal:
    """The share of records, in per cent, that must be covered, and where."""

    scope: Scope
    percent: float


def to_page(result: CoverageResult, goal: Goal | None = None) -> Page:
    """Return the figures, what is not covered, and what rules are for nothing."""
    policies = len(result.policies)
    folder = folder_of(result.inputs)
    return Page(
        f"synth coverage: {counted(result.records, 'record')}"
        f" under {number(policies)} {'policy' if policies == 1 else 'policies'}",
        (
            *loud_sections(result.enforcement),
            Section("Read", files_blocks(result.inputs)),
            Section("Records covered", _figures(result.figures, goal)),
            Section("Pods isolated", (_isolation(result.pods),)),
            Section("Not covered, most records first", _gaps(result.gaps, folder)),
            Section("Rules", _rules(result.rules)),
            Section("Admitted, but never seen", _over_permission(result.over_permission)),
            Section("Counted apart: policies have no say", _apart(result.figures)),
            Section("Skipped", _skipped(result, folder)),
            Section("Not evaluated", _items(result.elsewhere)),
            *quiet_sections(result.enforcement),
            Section("Warnings", _items(result.warnings)),
        ),
    )


def to_json(result: CoverageResult) -> dict[str, object]:
    """Return the keys that programs may rely on."""
    unused = [str(use.ref) for use in result.rules if not use.used]
    return envelope(
        {
            "records": result.records,
            "skipped": plain_ledger(result.skipped),
            "pods": {**asdict(result.pods), "neither": result.pods.neither},
            **{scope.value: _plain(result.figures[scope]) for scope in Scope},
            "rules": {
                "total": len(result.rules),
                "used": len(result.rules) - len(unused),
                "unused": len(unused),
                "unused_names": unused,
            },
            "over_permission": _plain_over_permission(result.over_permission),
            "gaps": [asdict(gap) for gap in result.gaps],
            "inputs": [asdict(one) for one in result.inputs],
            "policies": [str(policy) for policy in result.policies],
            "elsewhere": list(result.elsewhere),
            "cni": plain_enforcement(result.enforcement),
            "warnings": list(warnings_of(result)),
        }
    )


def warnings_of(result: CoverageResult) -> tuple[str, ...]:
    """Return what a user should know even if nobody reads the report."""
    return (*warnings_about(result.enforcement), *result.warnings)


def _figures(figures: Mapping[Scope, Figures], goal: Goal | None) -> tuple[Block, ...]:
    columns = (Column("Records"), *(Column(title, number=True) for title in _SCOPES.values()))
    rows = tuple(
        (title, *(number(getattr(figures[scope].records, field)) for scope in _SCOPES))
        for field, title in _ROWS.items()
    )
    return (
        Prose(_shares("", {scope: _share(figures[scope].records) for scope in _SCOPES})),
        *_verdict(figures, goal),
        Table(columns, rows, total=True),
        *_doubts(figures),
        *_bytes(figures),
    )


def _shares(head: str, shares: Mapping[Scope, str]) -> str:
    """Return ``Ingress 91.6 %, Egress 77.2 %``, scopes without a share left out."""
    return head + ", ".join(f"{_SCOPES[scope]} {one}" for scope, one in shares.items() if one)


def _share(figure: Figure) -> str:
    return share(figure.covered, figure.total) or "-"


def _bytes(figures: Mapping[Scope, Figures]) -> tuple[Block, ...]:
    """Return the shares of bytes, where nearly all records tell theirs."""
    shares = {
        scope: _share(one.bytes)
        for scope, one in figures.items()
        if one.records.total and one.measured >= MEASURED * one.records.total
    }
    ordered = {scope: shares[scope] for scope in _SCOPES if scope in shares}
    return (Prose(_shares("By bytes: ", ordered), Tone.QUIET),) if shares else ()


def _doubts(figures: Mapping[Scope, Figures]) -> tuple[Block, ...]:
    """Return how many of the uncovered records may be covered, if any."""
    unknown = {
        scope: number(figures[scope].records.undetermined)
        for scope in _SCOPES
        if figures[scope].records.undetermined
    }
    if not unknown:
        return ()
    told = _shares("Uncovered includes records that may be covered or denied: ", unknown)
    return (Prose(f"{told}.", Tone.QUIET),)


def _verdict(figures: Mapping[Scope, Figures], goal: Goal | None) -> tuple[Block, ...]:
    if goal is None:
        return ()
    figure, title = figures[goal.scope].records, _SCOPES[goal.scope]
    wanted = f"{goal.percent:g} %"
    if not figure.total and goal.percent:
        return (Prose(f"{title}: no record, so {wanted} cannot be shown.", Tone.BAD),)
    if 100 * figure.covered < goal.percent * figure.total:
        return (Prose(f"{title}: below the {wanted} asked for.", Tone.BAD),)
    return (Prose(f"{title}: at least the {wanted} asked for.", Tone.GOOD),)


def _isolation(pods: Isolation) -> Table:
    titles = ("Ingress", "Egress", "Both", "Neither", "All")
    values = (pods.ingress, pods.egress, pods.both, pods.neither, pods.total)
    columns = tuple(Column(title, number=True) for title in titles)
    return Table(columns, (tuple(map(number, values)),))


def _gaps(gaps: Sequence[Gap], folder: str) -> tuple[Block, ...]:
    if not gaps:
        return ()
    columns = (
        Column("Connection"),
        Column("Records", number=True),
        Column("Egress"),
        Column("Ingress"),
        Column("Example"),
    )
    rows = tuple(
        (
            f"{one.source} → {one.destination} {one.protocol} {one.port}",
            number(one.records),
            one.egress,
            one.ingress,
            one.example.removeprefix(folder),
        )
        for one in gaps[:MOST_GAPS]
    )
    return (Table(columns, rows), *_more(len(gaps) - MOST_GAPS, "connection"))


def _rules(rules: Sequence[RuleUse]) -> tuple[Block, ...]:
    unused = [use for use in rules if not use.used]
    if not rules:
        return ()
    if not unused:
        told = f"All {counted(len(rules), 'rule')} admit traffic that was seen."
        return (Prose(told, Tone.GOOD),)
    told = f"{number(len(unused))} of {counted(len(rules), 'rule')} admitted nothing that was seen:"
    listed = tuple(f"{use.ref}: {use.rule}" for use in unused[:MOST_RULES])
    return (Prose(told), Items(listed), *_more(len(unused) - MOST_RULES, "rule"))


def _over_permission(found: OverPermission) -> tuple[Block, ...]:
    share_of = share(found.never_seen, found.admitted)
    cells: tuple[Block, ...] = (Prose("Between workloads, rules admit nothing."),)
    if found.admitted:
        told = (
            f"{number(found.never_seen)} of {counted(found.admitted, 'cell')} that rules admit were"
            f" never seen ({share_of})."
        )
        about = "A cell is a client workload, a server workload, a protocol and a port."
        cells = (Prose(told), Prose(about, Tone.QUIET))
    outside = [
        f"{_SCOPES[Scope(direction.lower())]}: {' and '.join(families)} outside"
        for direction in (Direction.INGRESS, Direction.EGRESS)
        if (families := _families(found.addresses[direction]))
    ]
    addresses = (Items(tuple(outside)),) if outside else ()
    return (*cells, *addresses)


def _families(sizes: Mapping[int, int]) -> list[str]:
    return [
        f"{_rounded(size)} IPv{family} address{'' if size == 1 else 'es'}"
        for family, size in sorted(sizes.items())
        if size
    ]


def _rounded(size: int) -> str:
    return number(size) if size <= 10 * _BILLION else f"{size:.1e}"


def _apart(figures: Mapping[Scope, Figures]) -> tuple[Block, ...]:
    reasons = sorted({reason for one in figures.values() for reason in one.apart})
    if not reasons:
        return ()
    columns = (Column("Records"), *(Column(title, number=True) for title in _SCOPES.values()))
    rows = tuple(
        (reason, *(number(figures[scope].apart.get(reason, 0)) for scope in _SCOPES))
        for reason in reasons
    )
    return (Table(columns, rows),)


def _skipped(result: CoverageResult, folder: str) -> tuple[Block, ...]:
    if not result.skipped.total:
        return ()
    return (ledger_table(result.skipped, result.skipped.total, folder, "skipped"),)


def _items(texts: Sequence[str]) -> tuple[Block, ...]:
    return (Items(tuple(texts)),) if texts else ()


def _more(count: int, noun: str) -> tuple[Block, ...]:
    if count <= 0:
        return ()
    return (Prose(f"{counted(count, f'more {noun}')}; --format json lists all.", Tone.QUIET),)


def _plain(figures: Figures) -> dict[str, object]:
    return {
        "records": asdict(figures.records),
        "edges": asdict(figures.edges),
        "bytes": asdict(figures.bytes),
        "measured": figures.measured,
        "apart": dict(sorted(figures.apart.items())),
    }


def _plain_over_permission(found: OverPermission) -> dict[str, object]:
    return {
        "cells": found.admitted,
        "never_seen": found.never_seen,
        "ratio": found.never_seen / found.admitted if found.admitted else None,
        "addresses": {
            direction.lower(): {f"ipv{family}": size for family, size in sorted(sizes.items())}
            for direction, sizes in found.addresses.items()
        },
    }

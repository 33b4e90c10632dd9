"""What ``synth diff`` found, as a page and as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from synth.evaluator.connected import port_texts, texts
from synth.evaluator.diff import Added, Changed, Edit, Removed, ends_of, subject_of
from synth.evaluator.outside import shorthand
from synth.evaluator.reach import End, Reach
from synth.policy.model import Policy
from synth.policy.ports import Protocol
from synth.proof.canonical import is_renamed, patch
from synth.proof.diff import DiffResult, Judged, VerdictChange
from synth.proof.replay import Verdict
from synth.reports.counts import plain_ledger
from synth.reports.enforcement import (
    loud_sections,
    plain_enforcement,
    quiet_sections,
    warnings_about,
)
from synth.reports.envelope import envelope
from synth.reports.figures import counted, number
from synth.reports.page import (
    Block,
    Column,
    Items,
    Page,
    Patch,
    Prose,
    Section,
    Table,
    Tone,
    shortened,
)
from synth.reports.replay import folder_of

MOST_CHANGES = 20
"""How many changed verdicts a page lists; JSON lists all."""
_WORDS = {Added: "added", Removed: "removed", Changed: "changed"}


def to_page(result: DiffResult) -> Page:
    """Return what changes in text, in connections and in verdicts."""
    return Page(
        f"synth diff: {_summary(result)}",
        (
            *(loud_sections(result.enforcement) if result.enforcement else ()),
            Section("Policies", _policies(result.policies)),
            *_connections(result.connections),
            Section("Records whose verdict changes", _verdicts(result.judged)),
            Section("Also in force, before and after", _items(result.beside)),
            Section("Not evaluated", _items(result.elsewhere)),
            *(quiet_sections(result.enforcement) if result.enforcement else ()),
            Section("Warnings", _items(result.warnings)),
        ),
    )


def to_json(result: DiffResult) -> dict[str, object]:
    """Return the keys that programs may rely on."""
    connections = result.connections
    return envelope(
        {
            "old": result.old,
            "new": result.new,
            "differs": result.differs,
            "policies": [_plain_policy(edit) for edit in result.policies],
            "connections": None
            if connections is None
            else [row for edit in connections for row in _plain_connection(edit)],
            "records": _plain_judged(result.judged) if result.judged else None,
            "beside": list(result.beside),
            "elsewhere": list(result.elsewhere),
            "cni": plain_enforcement(result.enforcement) if result.enforcement else None,
            "warnings": list(warnings_of(result)),
        }
    )


def warnings_of(result: DiffResult) -> tuple[str, ...]:
    """Return what a user should know even if nobody reads the report."""
    about = warnings_about(result.enforcement) if result.enforcement else ()
    return (*about, *result.warnings)


def word_of(edit: Edit[Policy]) -> str:
    """Return ``added``, ``removed``, ``changed`` or ``renamed``."""
    return "renamed" if is_renamed(edit) else _WORDS[type(edit)]


def _summary(result: DiffResult) -> str:
    parts = [_counted(Counter(map(word_of, result.policies)), "policy", "policies")]
    if result.connections is not None:
        counts = Counter(_WORDS[type(edit)] for edit in result.connections)
        parts.append(_counted(counts, "connection", "connections"))
    if result.judged:
        changed = sum(one.records for one in result.judged.changes)
        parts.append(f"{counted(changed, 'verdict')} changed")
    return "; ".join(parts)


def _counted(counts: Counter[str], one: str, several: str) -> str:
    """Return ``1 policy added, 2 changed``."""
    words = [word for word in ("added", "removed", "renamed", "changed") if counts[word]]
    if not words:
        return f"no {one} differs"
    first, *others = [f"{number(counts[word])} {word}" for word in words]
    size, _, word = first.partition(" ")
    noun = one if size == "1" else several
    return ", ".join((f"{size} {noun} {word}", *others))


def _policies(edits: Sequence[Edit[Policy]]) -> tuple[Block, ...]:
    if not edits:
        return (Prose("The same policies, as canonical YAML.", Tone.GOOD),)
    blocks: list[Block] = []
    for edit in edits:
        old, new = ends_of(edit)
        name = f"{old} is now {new}" if is_renamed(edit) else str(subject_of(edit))
        blocks += [Prose(f"{name}: {word_of(edit)}"), Patch(patch(edit))]
    return tuple(blocks)


def _connections(edits: Sequence[Edit[Reach]] | None) -> tuple[Section, ...]:
    if edits is None:
        return ()
    if not edits:
        told = Prose("The same connections: the policies mean the same.", Tone.GOOD)
        return (Section("Connections", (told,)),)
    titles = {
        Removed: "Connections removed",
        Added: "Connections added",
        Changed: "Connections on other ports",
    }
    return tuple(
        Section(title, _table([edit for edit in edits if isinstance(edit, kind)]))
        for kind, title in titles.items()
    )


def _table(edits: Sequence[Edit[Reach]]) -> tuple[Block, ...]:
    if not edits:
        return ()
    rows = []
    for edit in edits:
        one = subject_of(edit)
        note = " (some pods)" if one.some else ""
        cells = [str(each.ports) for each in ends_of(edit) if each]
        rows.append((f"{_name(one.source)} → {_name(one.destinations[0])}{note}", *cells))
    titles = ("Before", "After") if isinstance(edits[0], Changed) else ("Ports",)
    columns = (Column("Connection"), *(Column(title) for title in titles))
    return shortened(Table(columns, tuple(rows)))


def _name(end: End) -> str:
    return end.name or "; ".join(shorthand(end.spans))


def _verdicts(judged: Judged | None) -> tuple[Block, ...]:
    if judged is None:
        return ()
    if not judged.changes:
        records = sum(judged.new.values())
        return (Prose(f"None of {counted(records, 'record')}.", Tone.GOOD),)
    folder = folder_of(judged.inputs)
    columns = (
        Column("Connection"),
        Column("Records", number=True),
        Column("Verdict"),
        Column("Example"),
    )
    rows = tuple(_row(one, folder) for one in judged.changes[:MOST_CHANGES])
    more = len(judged.changes) - len(rows)
    rest = f"{counted(more, 'more connection')}; --format json lists all."
    return (
        *_bottom_line(judged),
        Table(columns, rows),
        *((Prose(rest, Tone.QUIET),) if more else ()),
    )


def _row(one: VerdictChange, folder: str) -> tuple[str, ...]:
    return (
        f"{one.source} → {one.destination} {one.protocol} {one.port}",
        number(one.records),
        f"{one.old} → {one.new}",
        one.example.removeprefix(folder),
    )


def _bottom_line(judged: Judged) -> tuple[Block, ...]:
    if not judged.blocked:
        return (Prose("No record that was allowed becomes denied.", Tone.GOOD),)
    verb = "was" if judged.blocked == 1 else "were"
    told = f"{counted(judged.blocked, 'record')} that {verb} allowed would be denied."
    return (Prose(told, Tone.BAD),)


def _items(texts: Sequence[str]) -> tuple[Block, ...]:
    return (Items(tuple(texts)),) if texts else ()


def _plain_policy(edit: Edit[Policy]) -> dict[str, object]:
    was = {"was": str(ends_of(edit)[0])} if is_renamed(edit) else {}
    return {
        "edit": word_of(edit),
        "policy": str(subject_of(edit)),
        **was,
        "diff": "".join(f"{line}\n" for line in patch(edit)),
    }


def _plain_connection(edit: Edit[Reach]) -> list[dict[str, object]]:
    """Return a row for each source, destination (CIDRs one by one) and protocol that differ."""
    one = subject_of(edit)
    before, after = (dict(port_texts(each.ports)) if each else {} for each in ends_of(edit))
    words = {
        protocol: "removed"
        if protocol not in after
        else "changed"
        if protocol in before
        else "added"
        for protocol in Protocol
        if before.get(protocol) != after.get(protocol)
    }
    return [
        {
            "edit": word,
            "source": source,
            "destination": destination,
            "protocol": protocol.value,
            "old": before.get(protocol, ""),
            "new": after.get(protocol, ""),
            "pods": "some" if one.some else "all",
        }
        for source in texts(one.source)
        for destination in texts(one.destinations[0])
        for protocol, word in words.items()
    ]


def _plain_judged(judged: Judged) -> dict[str, object]:
    return {
        "records": sum(judged.new.values()) + judged.skipped.total,
        "skipped": plain_ledger(judged.skipped),
        "old": {verdict.value: judged.old[verdict] for verdict in Verdict},
        "new": {verdict.value: judged.new[verdict] for verdict in Verdict},
        "blocked": judged.blocked,
        "changes": [asdict(one) for one in judged.changes],
        "inputs": [asdict(one) for one in judged.inputs],
    }

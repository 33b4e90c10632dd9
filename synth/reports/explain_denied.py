"""A denial log as a page and as JSON: who was denied what, and the missing rules."""

from collections.abc import Iterator

from synth.proof.explained import DenialAnswer, DeniedContact, Proposal
from synth.reports.envelope import envelope
from synth.reports.figures import counted, instant, number, span
from synth.reports.page import (
    Block,
    Column,
    Commands,
    Items,
    Page,
    Prose,
    Section,
    Table,
    Tone,
    shortened,
)

MOST_ROWS = 25


def to_page(answer: DenialAnswer) -> Page:
    """Return what was denied, most often first, then the rules that are missing."""
    return Page(
        f"{counted(answer.packets, 'denied packet')} of {counted(len(answer.contacts), 'contact')}",
        (
            Section("What was read", _inputs(answer)),
            Section("Denied, and what these policies say", _contacts(answer)),
            Section("No rule is proposed for", _unproposed(answer)),
            Section("Missing rules", tuple(_proposals(answer))),
            Section("What the rules let through besides", _freed(answer)),
        ),
    )


def to_json(answer: DenialAnswer) -> dict[str, object]:
    """Return the answer as plain values."""
    return envelope(
        {
            "records": answer.records,
            "denied": answer.packets,
            "skipped": dict(sorted(answer.skipped.counts.items())),
            "inputs": [
                {"path": one.path, "format": one.format, "records": one.records}
                for one in answer.inputs
            ],
            "contacts": [_plain(one) for one in answer.contacts],
            "scans": dict(sorted(answer.scans.items())),
            "proposals": [_plain_proposal(one) for one in answer.proposals],
            "freed": list(answer.freed),
        }
    )


def _inputs(answer: DenialAnswer) -> tuple[Block, ...]:
    told = [f"{one.path} ({one.format}): {counted(one.records, 'line')}" for one in answer.inputs]
    lines = [f"{name}: {number(count)}" for name, count in sorted(answer.skipped.counts.items())]
    policies = "policy" if len(answer.policies) == 1 else "policies"
    judged = f"Judged by {number(len(answer.policies))} {policies}"
    first = [one.first for one in answer.contacts if one.first is not None]
    last = [one.last for one in answer.contacts if one.last is not None]
    times = f" Seen from {span(min(first), max(last))}." if first and last else ""
    blocks: list[Block] = [Items(tuple(told)), Prose(f"{judged}.{times}", Tone.QUIET)]
    if lines:
        blocks.append(Prose(f"Lines that are no denied packet: {'; '.join(lines)}.", Tone.QUIET))
    return tuple(blocks)


def _contacts(answer: DenialAnswer) -> tuple[Block, ...]:
    if not answer.contacts:
        return (Prose("Nothing was denied."),)
    columns = (
        Column("Client"),
        Column("Server"),
        Column("Port"),
        Column("Packets", number=True),
        Column("These policies"),
        Column("Rule"),
    )
    rows = tuple(
        (
            one.client,
            f"{one.server} (of {one.service})" if one.service else one.server,
            f"{one.protocol} {one.port}",
            number(one.packets),
            _verdict(one),
            "below" if one.proposals else "none",
        )
        for one in answer.contacts
    )
    return shortened(Table(columns, rows), MOST_ROWS)


def _verdict(one: DeniedContact) -> str:
    if not one.denied_by:
        return one.verdict
    sides = [
        f"{way.lower()} by {', '.join(names) or 'no policy'}"
        for way, names in one.denied_by.items()
    ]
    return f"{one.verdict}: {'; '.join(sides)}"


def _unproposed(answer: DenialAnswer) -> tuple[Block, ...]:
    """Return why contacts get no rule, one line a reason; scanners one line a client."""
    reasons: dict[str, list[DeniedContact]] = {}
    for one in answer.contacts:
        if one.unproposed and not one.proposals and one.client not in answer.scans:
            reasons.setdefault(one.unproposed, []).append(one)
    scans = tuple(
        f"{client}: it scans, {number(ports)} different ports were denied"
        for client, ports in sorted(answer.scans.items())
    )
    told = tuple(f"{_some(some)}: {reason}" for reason, some in reasons.items())
    return (Items((*scans, *told)),) if scans or told else ()


def _some(contacts: list[DeniedContact]) -> str:
    names = [f"{one.client} → {one.server} {one.protocol} {one.port}" for one in contacts[:3]]
    more = len(contacts) - len(names)
    return ", ".join(names) + (f" and {number(more)} more" if more else "")


def _proposals(answer: DenialAnswer) -> Iterator[Block]:
    if not answer.proposals:
        yield Prose("None.")
        return
    yield Prose("Each policy below adds to those that are there, and isolates nothing more.")
    for one in answer.proposals:
        if one.outside:
            yield Prose("For clients outside the cluster: know who they are first.", Tone.BAD)
        yield Items(tuple(_evidence(one)))
        yield Commands(tuple(one.yaml.splitlines()))


def _evidence(proposal: Proposal) -> Iterator[str]:
    for one in proposal.rules:
        packets = counted(one.packets, "denied packet")
        examples = ", ".join(one.examples)
        yield f"{proposal.policy} {one.direction.lower()}: {one.told} ({packets}: {examples})"


def _freed(answer: DenialAnswer) -> tuple[Block, ...]:
    if not answer.freed:
        return ()
    return Prose("Seen elsewhere, and let through by these rules:", Tone.BAD), Items(answer.freed)


def _plain(one: DeniedContact) -> dict[str, object]:
    return {
        "client": one.client,
        "server": one.server,
        "protocol": one.protocol,
        "port": one.port,
        "service": one.service or None,
        "packets": one.packets,
        "reported": dict(one.reported),
        "first_seen": None if one.first is None else instant(one.first),
        "last_seen": None if one.last is None else instant(one.last),
        "example": one.example,
        "verdict": one.verdict,
        "denied_by": {way.lower(): list(names) for way, names in one.denied_by.items()},
        "proposals": list(one.proposals),
        "unproposed": one.unproposed or None,
    }


def _plain_proposal(proposal: Proposal) -> dict[str, object]:
    return {
        "policy": str(proposal.policy),
        "outside": proposal.outside,
        "yaml": proposal.yaml,
        "rules": [
            {
                "direction": one.direction.value,
                "rule": str(one.rule),
                "told": one.told,
                "packets": one.packets,
                "examples": list(one.examples),
            }
            for one in proposal.rules
        ],
    }

"""The walk of a record as a page and as JSON."""

from synth.flows import Rung
from synth.proof.explained import Held, Holder, RecordAnswer
from synth.reports.envelope import envelope
from synth.reports.explain import plain_verdict, verdict_sections
from synth.reports.figures import counted, instant
from synth.reports.page import Block, Column, Items, Page, Prose, Section, Table, Tone

RUNGS = {
    Rung.NONE: "nothing tells who opened it",
    Rung.FLAGS: "TCP flags in the record",
    Rung.TUPLE: "the tracker's original tuple",
    Rung.REPORTED: "the source states it",
    Rung.PROVEN_SERVER: "other records prove the server on this port",
    Rung.DECLARED: "only one side declares to listen on its port",
    Rung.DEGREE: "many ports met one port of one side",
    Rung.EPHEMERAL: "only one side's port is ephemeral",
    Rung.REGISTERED: "only one side's port is a registered one",
}
"""What tells who opened a connection, the best evidence first."""
MOST_HOLDERS = 6


def to_page(answer: RecordAnswer) -> Page:
    """Return the record, and what became of it, step by step."""
    title = f"{answer.file}:{answer.row} ({answer.format})"
    if answer.explanation is None:
        return Page(title, (_read(answer), Section("What became of it", _skipped(answer))))
    return Page(
        title,
        (
            _read(answer),
            Section("1. What it says", (_says(answer),)),
            Section("2. Who held the addresses then", _held(answer)),
            Section("3. Who opened it", (Prose(direction_words(answer)),)),
            Section("4. The edge that it is part of", _edge(answer)),
            Section("5. What the screen says of that edge", (_screening(answer),)),
            *verdict_sections(answer.explanation),
        ),
    )


def to_json(answer: RecordAnswer) -> dict[str, object]:
    """Return the walk as plain values."""
    found = answer.explanation
    return envelope(
        {
            "file": answer.file,
            "row": answer.row,
            "format": answer.format,
            "text": answer.text,
            "skipped": answer.skipped or None,
            "says": dict(answer.says),
            "addresses": [_plain_held(one) for one in answer.held],
            "direction": direction_words(answer) if found else None,
            "edge": dict(answer.edge) or None,
            "screening": answer.screening or None,
            "reason": answer.reason or None,
            **(plain_verdict(found) if found else {"verdict": None}),
        }
    )


def direction_words(answer: RecordAnswer) -> str:
    """Return which evidence tells who opened the connection."""
    if answer.own_rung:
        return f"Told by {RUNGS[Rung(answer.own_rung)]} (rung {answer.own_rung} of 8)."
    if not answer.rungs:
        return "Neither the record nor the whole capture tells: the two ends are a mere pair."
    told = ", or ".join(f"{RUNGS[Rung(rung)]} (rung {rung} of 8)" for rung in answer.rungs)
    return f"Not told by the record alone; by the whole capture: {told}."


def _read(answer: RecordAnswer) -> Section:
    return Section("The record", (Prose(answer.text or "(no text)", Tone.QUIET),))


def _skipped(answer: RecordAnswer) -> tuple[Block, ...]:
    return (
        Prose(f"skipped: {answer.skipped}", Tone.BAD),
        Prose("It became no edge: no rule rests on it, and no policy is asked about it."),
    )


def _says(answer: RecordAnswer) -> Table:
    return Table((Column("Field"), Column("Value")), answer.says)


def _held(answer: RecordAnswer) -> tuple[Block, ...]:
    columns = (Column("Address"), Column("Is the"), Column("Was"), Column("How sure"))
    rows = tuple((one.address, one.part, one.endpoint.name, one.certainty) for one in answer.held)
    told = [line for one in answer.held for line in _holders(one)]
    return (Table(columns, rows), *([Items(tuple(told))] if told else []))


def _holders(held: Held) -> list[str]:
    if len(held.holders) < 2 and held.certainty == "exact":  # noqa: PLR2004 - one is told above
        return []
    told = [f"{held.address}: {_holder(one)}" for one in held.holders[:MOST_HOLDERS]]
    more = len(held.holders) - MOST_HOLDERS
    if held.certainty == "unknown":
        told.append(f"{held.address}: no known pod held it then")
    return told + ([f"{held.address}: {more} more"] if more > 0 else [])


def _holder(one: Holder) -> str:
    start = "ever" if one.start is None else instant(one.start)
    end = "now" if one.end is None else instant(one.end)
    return f"{one.name} from {start} to {end}"


def _edge(answer: RecordAnswer) -> tuple[Block, ...]:
    edge = answer.edge
    connections = edge["connections"]
    known = "an unknown number of connections"
    if isinstance(connections, int):
        known = counted(connections, "connection")
    times = f"{edge['first_seen']} to {edge['last_seen']}" if edge["first_seen"] else "no times"
    records = counted(int(str(edge["records"])), "record")
    return (
        Prose(answer.told),
        Prose(f"{records}, {known}, {times}; first: {edge['example']}.", Tone.QUIET),
    )


def _screening(answer: RecordAnswer) -> Prose:
    tone = Tone.GOOD if answer.screening == "accepted" else Tone.PLAIN
    return Prose(f"{answer.screening}: {answer.reason}", tone)


def _plain_held(one: Held) -> dict[str, object]:
    return {
        "address": one.address,
        "part": one.part,
        "endpoint": one.endpoint.name,
        "kind": one.endpoint.kind.value,
        "certainty": one.certainty,
        "candidates": [candidate.name for candidate in one.endpoint.candidates],
        "holders": [
            {
                "name": holder.name,
                "workload": holder.workload or None,
                "from": None if holder.start is None else instant(holder.start),
                "to": None if holder.end is None else instant(holder.end),
            }
            for holder in one.holders
        ],
    }

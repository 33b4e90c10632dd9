"""The explanation of a flow as a page and as JSON; its parts serve other answers too."""

from synth.evaluator.explanation import Explanation, Miss, Reason
from synth.policy.model import Direction
from synth.proof.explained import FlowAnswer, Variant
from synth.reports.envelope import envelope
from synth.reports.figures import protocol_name
from synth.reports.page import Block, Items, Page, Prose, Section, Tone

MOST_SHOWN = 10
"""Of more rules or variants, people are shown so many; JSON holds all."""


def to_page(answer: FlowAnswer) -> Page:
    """Return the verdict, then what each side says."""
    found = answer.explanation
    notes = tuple(Prose(f"{note}.", Tone.QUIET) for note in answer.notes)
    return Page(
        f"{found.client.name} → {found.server.name}"
        f" on {protocol_name(found.protocol)} {found.port}",
        (*verdict_sections(found, notes), Section("Other pods", _variants(answer.variants))),
    )


def to_json(answer: FlowAnswer) -> dict[str, object]:
    """Return the explanation as plain values."""
    found = answer.explanation
    return envelope(
        {
            "source": found.client.name,
            "destination": found.server.name,
            "protocol": protocol_name(found.protocol),
            "port": found.port,
            **plain_verdict(found),
            "notes": list(answer.notes),
            "variants": [
                {"source": one.client, "destination": one.server, "verdict": one.verdict}
                for one in answer.variants
            ],
        }
    )


def verdict_sections(found: Explanation, notes: tuple[Prose, ...] = ()) -> tuple[Section, ...]:
    """Return the verdict, with notes, and what either side says."""
    tone = Tone.GOOD if found.verdict == "allowed" else Tone.BAD
    doubts = f": {', '.join(found.doubts)}" if found.doubts else ""
    return (
        Section("Verdict", (Prose(f"{found.verdict}{doubts}", tone), *notes)),
        _side(found.egress),
        _side(found.ingress),
    )


def plain_verdict(found: Explanation) -> dict[str, object]:
    """Return verdict, doubts and both sides as plain values."""
    return {
        "verdict": str(found.verdict),
        "doubts": [str(doubt) for doubt in found.doubts],
        "egress": _plain(found.egress),
        "ingress": _plain(found.ingress),
    }


def _variants(variants: tuple[Variant, ...]) -> tuple[Block, ...]:
    if not variants:
        return ()
    told = Prose("Other pods of these workloads get another answer:", Tone.BAD)
    return told, _items([_variant(one) for one in variants])


def _variant(one: Variant) -> str:
    ends = (("client", one.client), ("server", one.server))
    where = "; ".join(f"{word} with {what}" for word, what in ends if what)
    return f"{one.verdict}: {where or 'another workload of the same name'}"


def _items(items: list[str]) -> Items:
    more = len(items) - MOST_SHOWN
    rest = [f"and {more:,} more; --format json lists all"] if more > 0 else []
    return Items((*items[:MOST_SHOWN], *rest))


def _side(reason: Reason) -> Section:
    leaves = reason.direction is Direction.EGRESS
    what = "May it leave" if leaves else "May it enter"
    blocks = (Prose(_answer(reason), Tone.GOOD if reason.allowed else Tone.BAD), *_grounds(reason))
    return Section(f"{what} {reason.subject.name}? ({reason.direction.value})", blocks)


def _answer(reason: Reason) -> str:
    word = "yes" if reason.allowed else "no"
    return f"{word}: {reason.exemption}" if reason.exemption else word


def _grounds(reason: Reason) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if reason.isolated_by:
        isolators = ", ".join("/".join(key) for key in reason.isolated_by)
        blocks.append(Prose(f"Isolated by {isolators}.", Tone.QUIET))
    if reason.admitted_by:
        blocks.append(Prose("Rules that admit it:"))
        blocks.append(_items([*map(str, reason.admitted_by)]))
    if reason.closest:
        blocks.append(Prose("No rule admits it. The closest, and all that they fail on:"))
        blocks.append(_items([*map(_miss, reason.closest)]))
    elif not reason.allowed:
        blocks.append(Prose("No rule admits it."))
    return tuple(blocks)


def _miss(miss: Miss) -> str:
    failed = "; ".join(f"{one.term}: {one.why}" for one in miss.failures)
    return f"{miss.ref} admits {miss.rule}. Fails on the {failed}."


def _plain(reason: Reason) -> dict[str, object]:
    return {
        "subject": reason.subject.name,
        "peer": reason.peer.name,
        "allowed": reason.allowed,
        "exemption": str(reason.exemption) if reason.exemption else None,
        "isolated_by": ["/".join(key) for key in reason.isolated_by],
        "admitted_by": [str(ref) for ref in reason.admitted_by],
        "closest": [
            {
                "rule": str(miss.ref),
                "admits": str(miss.rule),
                "fails_on": [{"term": str(one.term), "why": one.why} for one in miss.failures],
            }
            for miss in reason.closest
        ],
    }

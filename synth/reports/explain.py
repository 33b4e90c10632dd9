"""An explanation as a page and as JSON."""

from synth.evaluator.explanation import Explanation, Miss, Reason
from synth.policy.model import Direction
from synth.reports.envelope import envelope
from synth.reports.figures import protocol_name
from synth.reports.page import Block, Items, Page, Prose, Section, Tone


def to_page(found: Explanation) -> Page:
    """Return the verdict, then what each side says."""
    tone = Tone.GOOD if found.verdict == "allowed" else Tone.BAD
    doubts = f": {', '.join(found.doubts)}" if found.doubts else ""
    return Page(
        f"{found.client.name} → {found.server.name}"
        f" on {protocol_name(found.protocol)} {found.port}",
        (
            Section("Verdict", (Prose(f"{found.verdict}{doubts}", tone),)),
            _side(found.egress),
            _side(found.ingress),
        ),
    )


def to_json(found: Explanation) -> dict[str, object]:
    """Return the explanation as plain values."""
    return envelope(
        {
            "source": found.client.name,
            "destination": found.server.name,
            "protocol": protocol_name(found.protocol),
            "port": found.port,
            "verdict": str(found.verdict),
            "doubts": [str(doubt) for doubt in found.doubts],
            "egress": _plain(found.egress),
            "ingress": _plain(found.ingress),
        }
    )


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
        blocks.append(Items(tuple(map(str, reason.admitted_by))))
    if reason.closest:
        blocks.append(Prose("No rule admits it. The closest, and what they fail on:"))
        blocks.append(Items(tuple(map(_miss, reason.closest))))
    elif not reason.allowed:
        blocks.append(Prose("No rule admits it."))
    return tuple(blocks)


def _miss(miss: Miss) -> str:
    return f"{miss.ref} admits {miss.rule}: fails on the {miss.failed}"


def _plain(reason: Reason) -> dict[str, object]:
    return {
        "subject": reason.subject.name,
        "peer": reason.peer.name,
        "allowed": reason.allowed,
        "exemption": str(reason.exemption) if reason.exemption else None,
        "isolated_by": ["/".join(key) for key in reason.isolated_by],
        "admitted_by": [str(ref) for ref in reason.admitted_by],
        "closest": [
            {"rule": str(miss.ref), "admits": str(miss.rule), "fails_on": str(miss.failed)}
            for miss in reason.closest
        ],
    }

"""What the network plugin makes of the policies: loud where it would not do as they say."""

from synth.cni.claims import Feature, Value
from synth.cni.enforcement import Chosen, Enforcement
from synth.cni.recognise import NAMED
from synth.cni.shortfall import Shortfall
from synth.reports.figures import counted
from synth.reports.page import Block, Items, Prose, Section, Tone

MOST_SHORTFALLS = 20
"""How many a page lists and standard error is told; JSON holds all."""

HOW = f"{NAMED} NAME says which plugin is meant"


def loud_sections(enforcement: Enforcement) -> tuple[Section, ...]:
    """Return what belongs above everything else; nothing if all is enforced as written."""
    found = enforcement.found
    if found.profile is None:
        told = _several(enforcement)
        return (Section("Network plugin", (Prose(told, Tone.BAD),)),) if told else ()
    if enforcement.enforces is Value.NO:
        blocks: tuple[Block, ...] = (Prose(_nothing(enforcement), Tone.BAD),)
        return (Section("NOT ENFORCED", blocks),)
    if not enforcement.shortfalls:
        return ()
    shown = enforcement.shortfalls[:MOST_SHORTFALLS]
    more = len(enforcement.shortfalls) - len(shown)
    rest = (Prose(f"{_more(more)}; --format json lists all.", Tone.QUIET),) if more else ()
    title = f"What {found.title} would not enforce as written"
    sources = tuple(dict.fromkeys(one.source for one in shown))
    origin = (Prose("Sources:", Tone.QUIET), Items(sources))
    return (Section(title, (Items(tuple(map(str, shown))), *rest, *origin)),)


def quiet_sections(enforcement: Enforcement) -> tuple[Section, ...]:
    """Return which plugin is meant and what that decided; one line where none is known."""
    found = enforcement.found
    if found.profile is None:
        if _several(enforcement):
            return ()
        told = f"Not recognised, so nobody knows whether policies are enforced; {HOW}."
        return (Section("Network plugin", (Prose(told, Tone.QUIET),)),)
    by = f"as {NAMED} says" if found.by == NAMED else f"recognised by {found.by}"
    blocks: list[Block] = [Prose(f"{found.title}, {by}.", Tone.QUIET)]
    if found.others:
        told = f"The cluster files also show {', '.join(found.others)}."
        tone = Tone.PLAIN if found.by == NAMED else Tone.QUIET
        blocks.append(Prose(told, tone))
    if enforcement.chosen:
        told = "Judged as this plugin does, not as most do:"
        blocks += [Prose(told), Items(tuple(map(_choice, enforcement.chosen)))]
    if enforcement.unsure:
        used = ", ".join(enforcement.unsure)
        blocks.append(Prose(f"Used by these policies, and not known of it: {used}.", Tone.QUIET))
    return (Section("Network plugin", tuple(blocks)),)


def warnings_about(enforcement: Enforcement) -> tuple[str, ...]:
    """Return what a user should know even if nobody reads the report; most important first."""
    found = enforcement.found
    if found.profile is None:
        told = _several(enforcement)
        return (told,) if told else ()
    if enforcement.enforces is Value.NO:
        return (f"NOT ENFORCED: {_nothing(enforcement)}",)
    shown = enforcement.shortfalls[:MOST_SHORTFALLS]
    more = len(enforcement.shortfalls) - len(shown)
    lines = tuple(f"{found.title}: {one}" for one in shown)
    return (*lines, f"{found.title}: {_more(more)}") if more else lines


def plain_enforcement(enforcement: Enforcement) -> dict[str, object]:
    """Return the value of the key ``cni``; ``name`` is null if no plugin is known."""
    found = enforcement.found
    return {
        "name": found.profile.name if found.profile else None,
        "version": found.version or None,
        "recognised_by": found.by or None,
        "others": list(found.others),
        "enforces": enforcement.enforces.value,
        "choices": [
            {"choice": one.choice, "value": one.value, "source": _source(one)}
            for one in enforcement.chosen
        ],
        "unknown": [one.value for one in enforcement.unsure],
        "warnings": [_plain(one) for one in enforcement.shortfalls],
    }


def _plain(one: Shortfall) -> dict[str, object]:
    place = one.place
    return {
        "policy": place.policy or None,
        "direction": place.direction.value if place.direction else None,
        "rule": place.index,
        "feature": one.claim.feature.value,
        "what": one.what,
        "why": one.why,
        "source": one.source,
    }


def _nothing(enforcement: Enforcement) -> str:
    claim = enforcement.found.claim(Feature.ENFORCES)
    note = f": {claim.note}" if claim.note else ""
    told = f"{enforcement.found.title} enforces no NetworkPolicy here{note}"
    return f"{told}. Applied, the policies would change nothing. [{claim.source}]"


def _several(enforcement: Enforcement) -> str:
    names = enforcement.found.others
    if not names:
        return ""
    return f"Several network plugins may enforce policies here, {', '.join(names)}; {HOW}."


def _choice(one: Chosen) -> str:
    return f"{one.choice}={one.value} [{_source(one)}]"


def _source(one: Chosen) -> str:
    return f"{one.claim.source} ({one.claim.version})"


def _more(count: int) -> str:
    return f"{counted(count, 'more place')} with a shortfall"

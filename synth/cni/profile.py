"""A network plugin as its claims."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from synth.cni.claims import Claim, Feature, Value


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of one network plugin; ``name`` is what ``--cni`` takes."""

    name: str
    title: str
    claims: tuple[Claim, ...]

    def claim(self, feature: Feature, version: str = "") -> Claim:
        """Return what is known of the feature in this version.

        If the version is not known and versions differ, that is the answer: partly.
        """
        held = [one for one in self.claims if one.feature is feature and one.holds(version)]
        if not held:
            return Claim(feature)
        if len({one.value for one in held}) == 1:
            return held[-1]
        return _either(feature, held)

    def all_claims(self) -> Iterator[Claim]:
        """Yield the claims by feature; of a feature without one, that it is unknown."""
        for feature in Feature:
            held = [one for one in self.claims if one.feature is feature]
            yield from held or [Claim(feature)]


def _either(feature: Feature, claims: Sequence[Claim]) -> Claim:
    notes = (
        f"{one.value} {one.span}{f' ({one.note})' if one.note else ''}".replace("  ", " ")
        for one in claims
    )
    return Claim(
        feature,
        Value.PARTLY,
        f"it depends on the version: {'; '.join(notes)}",
        "; ".join(dict.fromkeys(one.source for one in claims)),
        "; ".join(dict.fromkeys(one.version for one in claims)),
    )

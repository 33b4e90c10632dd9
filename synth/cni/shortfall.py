"""One place where a plugin does something else than a policy says."""

from dataclasses import dataclass

from synth.cni.claims import Claim, Feature, Value
from synth.policy.model import Direction, Policy


@dataclass(frozen=True, slots=True)
class Place:
    """A rule by policy, direction and number, as in its file; without a number, a direction.

    Without a direction the policy is meant, and without a policy the cluster.
    """

    policy: str = ""
    direction: Direction | None = None
    index: int | None = None

    @classmethod
    def of(cls, policy: Policy, direction: Direction, index: int | None = None) -> "Place":
        """Return the place of the rule."""
        return cls(str(policy), direction, index)

    def __str__(self) -> str:
        """Return ``shop/db ingress[0]``; empty for the cluster."""
        number = "" if self.index is None else f"[{self.index}]"
        return f"{self.policy} {(self.direction or '').lower()}{number}".strip()


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is written at a place (``what``), and what the plugin makes of it (``claim``)."""

    place: Place
    what: str
    claim: Claim

    @property
    def why(self) -> str:
        """What the plugin makes of it, in words."""
        plain = _PLAIN.get(self.claim.feature) or _WORDS.get(self.claim.value, "is not known")
        return f"{plain}: {self.claim.note}" if self.claim.note else plain

    @property
    def source(self) -> str:
        """Where that is written, and of what version."""
        return f"{self.claim.source} ({self.claim.version})" if self.claim.source else ""

    def __str__(self) -> str:
        """Return the shortfall as one line."""
        place = f"{self.place}: " if str(self.place) else ""
        return f"{place}{self.what} {self.why}"


_WORDS = {Value.NO: "is not enforced", Value.PARTLY: "may not be enforced as written"}
_PLAIN = {
    Feature.IP_BLOCK_PODS: "are not matched by an ipBlock",
    Feature.IP_BLOCK_NODES: "are not matched by an ipBlock",
    Feature.AFTER_DNAT: "may be denied, as egress is judged before the address is translated",
    Feature.RULE_LIMITS: "is more than the plugin takes",
    Feature.BARE_PODS: "no policy protects",
}
"""What a shortfall of the feature means, where "is not enforced" does not say it."""

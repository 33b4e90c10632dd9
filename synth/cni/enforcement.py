"""What a command knows of the enforcement of the policies that it speaks of."""

from dataclasses import dataclass, field, replace
from typing import Self

from synth.cni.claims import Claim, Feature, Value
from synth.cni.recognise import Recognised
from synth.cni.shortfall import Shortfall


@dataclass(frozen=True, slots=True)
class Chosen:
    """A free choice of the evaluator that the plugin settled: ``claim`` says by what."""

    choice: str
    value: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Enforcement:
    """The plugin in use, what it would not do as written, and what that decided.

    ``unsure`` are features that the policies use and of which nothing is known.
    """

    found: Recognised = field(default_factory=Recognised)
    shortfalls: tuple[Shortfall, ...] = ()
    unsure: tuple[Feature, ...] = ()
    chosen: tuple[Chosen, ...] = ()

    @property
    def enforces(self) -> Value:
        """Whether the cluster enforces NetworkPolicies at all."""
        return self.found.claim(Feature.ENFORCES).value

    def unjudged(self) -> Self:
        """Return the same without choices, for what judges nothing, or judges as most plugins."""
        return replace(self, chosen=())

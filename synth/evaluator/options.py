"""What the API leaves open, as explicit choices: each with its values, default and meaning.

``Options`` holds one value a choice, under the choice's name with ``_`` for ``-``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that implementations decide differently.

    ``meanings`` maps each value to what it means; the first is the default, which most plugins
    and the upstream tests share. ``plugins`` names who is known to differ.
    """

    name: str
    question: str
    meanings: Mapping[str, str]
    plugins: str = ""

    @property
    def field(self) -> str:
        """The field of ``Options`` that holds the value."""
        return self.name.replace("-", "_")

    @property
    def values(self) -> tuple[str, ...]:
        """All values, the default first."""
        return tuple(self.meanings)

    @property
    def default(self) -> str:
        """The value that holds unless another is chosen."""
        return self.values[0]

    @property
    def meaning(self) -> str:
        """The question and every answer, in one line."""
        answers = "; ".join(f"{value}: {told}" for value, told in self.meanings.items())
        return f"{self.question}. {answers}"


CHOICES: tuple[Choice, ...] = (
    Choice(
        "ip-block-pods",
        "Whether an ipBlock holds the pods whose addresses lie in it",
        {
            "yes": "a pod's address is an address like any other",
            "no": "an ipBlock speaks of addresses that no pod holds",
        },
        "no: Cilium, unless policy-cidr-match-mode names pods",
    ),
    Choice(
        "ip-block-nodes",
        "Whether an ipBlock holds the nodes whose addresses lie in it",
        {
            "yes": "a node's address is an address like any other",
            "no": "an ipBlock speaks of addresses that no node holds",
        },
        "no: Cilium, unless policy-cidr-match-mode names nodes (1.15 and later)",
    ),
    Choice(
        "hairpin",
        "Whether a pod reaches itself through a Service although it is isolated",
        {
            "allow": "it does, as under its own address",
            "police": "rules must admit it on both sides",
        },
        "allow: Antrea, Cilium, OVN-Kubernetes; denials reported of Calico in 2020",
    ),
    Choice(
        "from-own-node",
        "Whether a pod's own node reaches it although it is isolated",
        {
            "allow": "it does: probes never need a rule",
            "police": "rules must admit it, as they must admit any other node",
        },
        "allow: what the API asks for",
    ),
    Choice(
        "to-own-node",
        "Whether an isolated pod reaches its own node",
        {
            "police": "rules must admit it, as they must admit any other node",
            "allow": "it does, as the API's documentation has it",
        },
        "both occur; the default is the one that asks for a rule",
    ),
    Choice(
        "host-network",
        "What a host-network pod is to policies",
        {
            "node": "its node: no policy selects it and no selector matches it",
            "pod": "a pod like others; logs cannot tell it from its node, so a verdict that"
            " depends on which of them it was is undetermined",
        },
        "node: kube-router, Weave Net, Antrea, Calico, AWS VPC CNI",
    ),
    Choice(
        "dnat",
        "Whether egress is judged after or before a Service's address is translated",
        {
            "after": "on the pod and the port that answer",
            "before": "on the address and the port that the client asked for; edges do not keep"
            " that port, so a verdict that depends on it is undetermined",
        },
        "before: AWS VPC CNI, whose controller adds Services' addresses to what rules select",
    ),
    Choice(
        "ipv4-mapped",
        "What an ipBlock written as an IPv4-mapped IPv6 range (::ffff:10.0.0.0/104) holds",
        {
            "ipv4": "the IPv4 addresses in it",
            "ipv6": "no address that ever occurs in traffic",
        },
        "ipv4: whoever reads addresses as Go's library does",
    ),
)

BY_NAME: Mapping[str, Choice] = {choice.name: choice for choice in CHOICES}


@dataclass(frozen=True, slots=True)
class Options:
    """The value of every choice; ``CHOICES`` says what they mean."""

    ip_block_pods: str = "yes"
    ip_block_nodes: str = "yes"
    hairpin: str = "allow"
    from_own_node: str = "allow"
    to_own_node: str = "police"
    host_network: str = "node"
    dnat: str = "after"
    ipv4_mapped: str = "ipv4"

    def __post_init__(self) -> None:
        """Check the values.

        Raises
        ------
        ValueError
            If a choice has no such value.

        """
        for choice in CHOICES:
            value = getattr(self, choice.field)
            if value not in choice.meanings:
                known = " or ".join(choice.values)
                raise ValueError(f"{choice.name}: {known}. Got {value!r} instead.")

    def value(self, name: str) -> str:
        """Return the value of the choice of this name."""
        found: str = getattr(self, BY_NAME[name].field)
        return found

    def choosing(self, name: str, value: str) -> Self:
        """Return the options with another value of one choice.

        >>> Options().choosing("ip-block-pods", "no").ip_block_pods
        'no'

        Raises
        ------
        KeyError
            If there is no such choice.
        ValueError
            If it has no such value.

        """
        return replace(self, **{BY_NAME[name].field: value})

    def with_all(self, chosen: Iterable[tuple[str, str]]) -> Self:
        """Return the options with all these choices (name, value); ``Raises`` as ``choosing``."""
        found = self
        for name, value in chosen:
            found = found.choosing(name, value)
        return found

    @property
    def sees_services(self) -> bool:
        """Whether a verdict may depend on the Service that a client asked for."""
        return self.dnat == "before" or self.hairpin == "police"

    @property
    def chosen(self) -> Mapping[str, str]:
        """Name → value of the choices that are not at their defaults."""
        return {
            choice.name: self.value(choice.name)
            for choice in CHOICES
            if self.value(choice.name) != choice.default
        }


DEFAULT = Options()

"""Policies as NetworkPolicy v1 means them, after defaulting: what isolates, and what admits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from synth.policy.address import IpBlock
from synth.policy.ports import PortSet
from synth.policy.selector import Selector


class Direction(StrEnum):
    """A direction that a policy can isolate, in the words of ``policyTypes``."""

    INGRESS = "Ingress"
    EGRESS = "Egress"


@dataclass(frozen=True, slots=True)
class PodPeer:
    """Pods by labels.

    | ``namespaces`` | ``pods`` | selects |
    |---|---|---|
    | None | selector | these pods of the policy's own namespace |
    | everything | everything | all pods of all namespaces |
    | selector | everything | all pods of these namespaces |
    | selector | selector | these pods of these namespaces |

    A pod peer never selects an address outside the cluster.
    """

    pods: Selector = field(default_factory=Selector)
    namespaces: Selector | None = None

    @property
    def sort_key(self) -> tuple[object, ...]:
        """What orders peers: pod peers first, own namespace before others."""
        return (0, self.namespaces is not None, str(self.namespaces), str(self.pods))

    def __str__(self) -> str:
        """Return the peer as a reader of a report needs it."""
        pods = "every pod" if self.pods.everything else f"pods {self.pods}"
        if self.namespaces is None:
            return pods
        if self.namespaces.everything:
            return f"{pods} of every namespace"
        return f"{pods} of namespaces {self.namespaces}"


@dataclass(frozen=True, slots=True)
class AddressPeer:
    """Addresses by ``ipBlock``."""

    block: IpBlock

    @property
    def sort_key(self) -> tuple[object, ...]:
        """What orders peers: address peers after pod peers, by family and address."""
        return (1, *self.block.sort_key)

    def __str__(self) -> str:
        """Return the block."""
        return str(self.block)


Peer = PodPeer | AddressPeer


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule admits: any of ``peers`` on any of ``ports``; without peers, everyone.

    Peers are sorted and unique. A rule whose ``ports`` is empty admits nothing, which the API
    cannot say; ``PortSet.every()`` is what a rule without ``ports`` means.
    """

    peers: tuple[Peer, ...] = ()
    ports: PortSet = field(default_factory=PortSet.every)

    def __post_init__(self) -> None:
        """Sort the peers."""
        peers = sorted(set(self.peers), key=lambda peer: peer.sort_key)
        object.__setattr__(self, "peers", tuple(peers))

    @property
    def everyone(self) -> bool:
        """Whether the rule admits every peer, inside and outside the cluster."""
        return not self.peers

    @property
    def sort_key(self) -> tuple[object, ...]:
        """What orders the rules of a policy."""
        return (tuple(peer.sort_key for peer in self.peers), str(self.ports))

    def __str__(self) -> str:
        """Return ``pods role=api on TCP 3306``."""
        peers = " or ".join(map(str, self.peers)) or "everyone"
        return f"{peers} on {self.ports}"


@dataclass(frozen=True, slots=True)
class Policy:
    """One NetworkPolicy. A direction that is None is not isolated; ``()`` isolates and admits none.

    The order of rules is kept as written, so that a rule's number is the number in its file.
    """

    namespace: str
    name: str
    pods: Selector = field(default_factory=Selector)
    ingress: tuple[Rule, ...] | None = None
    egress: tuple[Rule, ...] | None = None
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Sort labels and annotations, so that equal policies are equal values."""
        object.__setattr__(self, "labels", tuple(sorted(self.labels)))
        object.__setattr__(self, "annotations", tuple(sorted(self.annotations)))

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name, unique in a set."""
        return self.namespace, self.name

    def rules(self, direction: Direction) -> tuple[Rule, ...] | None:
        """Return the rules of the direction; None if the policy does not isolate it."""
        return self.ingress if direction is Direction.INGRESS else self.egress

    def __str__(self) -> str:
        """Return ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Policies sorted by namespace and name; no two with the same key."""

    policies: tuple[Policy, ...] = ()

    def __post_init__(self) -> None:
        """Sort the policies.

        Raises
        ------
        ValueError
            If two policies have the same namespace and name.

        """
        policies = tuple(sorted(self.policies, key=lambda policy: policy.key))
        if len({policy.key for policy in policies}) != len(policies):
            message = "two policies share a namespace and a name"
            raise ValueError(message)
        object.__setattr__(self, "policies", policies)

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> "PolicySet":
        """Return the set of the policies."""
        return cls(tuple(policies))

    def replaced_by(self, new: "PolicySet") -> "PolicySet":
        """Return this set with the policies of ``new`` added, replacing those of the same key."""
        merged = {policy.key: policy for policy in (*self.policies, *new.policies)}
        return PolicySet(tuple(merged.values()))

    def __iter__(self) -> Iterator[Policy]:
        """Return an iterator over the policies in order."""
        return iter(self.policies)

    def __len__(self) -> int:
        """Return the number of policies."""
        return len(self.policies)

"""What ``synth connectivity`` finds."""

from dataclasses import dataclass, field

from synth.cni.enforcement import Enforcement
from synth.evaluator.outside import networks_of
from synth.evaluator.reach import End, Reach, Standing
from synth.policy.ports import PortSet, Protocol


@dataclass(frozen=True, slots=True, order=True)
class Connection:
    """What one end may open to another on one protocol; ends are names or CIDRs.

    ``ports`` are ranges such as ``80,443-445``. ``pods`` is ``all``, or ``some`` if only some
    pods of the two workloads may.
    """

    source: str
    destination: str
    protocol: str
    ports: str
    pods: str


@dataclass(frozen=True, slots=True)
class Connected:
    """Who may reach whom; ``parties`` are all those asked about, as servers.

    ``left_out`` says which addresses are not listed, and why.
    """

    parties: tuple[str, ...]
    reach: tuple[Reach, ...]
    standing: tuple[Standing, ...]
    policies: tuple[str, ...]
    level: str = "workload"
    left_out: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    enforcement: Enforcement = field(default_factory=Enforcement)
    """What the cluster's network plugin makes of the policies."""

    def connections(self) -> list[Connection]:
        """Return the connections, sorted: by name, addresses after names, then by protocol."""
        return [
            Connection(source, destination, protocol.value, ports, "some" if one.some else "all")
            for one in sorted(self._single(), key=_order)
            for protocol, ports in port_texts(one.ports)
            for source in texts(one.source)
            for end in one.destinations
            for destination in texts(end)
        ]

    def _single(self) -> list[Reach]:
        """Return the reach with one destination each."""
        return [
            Reach(one.source, (end,), one.ports, one.some)
            for one in self.reach
            for end in one.destinations
        ]


def texts(end: End) -> tuple[str, ...]:
    """Return the name of the end, or its addresses as CIDRs."""
    return (end.name,) if end.name else tuple(map(str, networks_of(end.spans)))


def port_texts(ports: PortSet) -> list[tuple[Protocol, str]]:
    """Return protocol and ports as text.

    >>> port_texts(PortSet.port(Protocol.TCP, 80) | PortSet.every(Protocol.UDP))
    [(<Protocol.TCP: 'TCP'>, '80'), (<Protocol.UDP: 'UDP'>, '1-65535')]
    """
    found: dict[Protocol, list[str]] = {}
    for one in ports.ranges:
        text = str(one.first) if one.first == one.last else f"{one.first}-{one.last}"
        found.setdefault(one.protocol, []).append(text)
    assert not ports.names, "connectivity resolves names"  # noqa: S101
    return [(protocol, ",".join(some)) for protocol, some in sorted(found.items())]


def _order(one: Reach) -> tuple[object, ...]:
    return one.source.sort_key, one.destinations[0].sort_key, one.some, str(one.ports)

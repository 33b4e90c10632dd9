"""Policy values for property tests, biased to values that touch, overlap and repeat."""

from ipaddress import ip_network

from hypothesis import strategies as st

from synth.policy import (
    AddressPeer,
    IpBlock,
    NamedPort,
    Operator,
    PodPeer,
    Policy,
    PortRange,
    PortSet,
    Protocol,
    Requirement,
    Rule,
    Selector,
)
from synth.policy.address import Network

AWKWARD_PORTS = (1, 2, 3, 79, 80, 81, 443, 65534, 65535)
LABEL_KEYS = ("role", "app", "env", "kubernetes.io/metadata.name", "no", "A.b_c-9")
LABEL_VALUES = ("", "api", "db", "web", "no", "on", "y", "080", "1e3", "true", "null", "1_0")
PORT_NAMES = ("http", "dns", "a", "8-a", "x-1", "y", "on", "metrics-https9")

protocols = st.sampled_from(Protocol)
ports = st.sampled_from(AWKWARD_PORTS) | st.integers(1, 65535)


@st.composite
def port_ranges(draw: st.DrawFn) -> PortRange:
    """Return ranges of ports, whole protocols among them."""
    first, last = sorted((draw(ports), draw(ports)))
    return PortRange(draw(protocols), first, last)


named_ports = st.builds(NamedPort, protocols, st.sampled_from(PORT_NAMES))
port_sets = st.builds(
    PortSet,
    st.lists(port_ranges(), max_size=4).map(tuple),
    st.lists(named_ports, max_size=3).map(tuple),
) | st.sampled_from([PortSet(), PortSet.every(), PortSet.every(Protocol.TCP)])
some_ports = port_sets.filter(bool)

labels = st.dictionaries(st.sampled_from(LABEL_KEYS), st.sampled_from(LABEL_VALUES), max_size=4)


@st.composite
def requirements(draw: st.DrawFn) -> Requirement:
    """Return requirements on few keys and values, so that they meet."""
    operator = draw(st.sampled_from(Operator))
    values = draw(st.lists(st.sampled_from(LABEL_VALUES), min_size=1, max_size=3))
    taken = tuple(values) if operator.takes_values else ()
    return Requirement(draw(st.sampled_from(LABEL_KEYS)), operator, taken)


selectors = st.builds(Selector, st.lists(requirements(), max_size=4).map(tuple))


@st.composite
def ip_blocks(draw: st.DrawFn) -> IpBlock:
    """Return blocks of both families with up to four excepts, which may cover all of it."""
    space = ip_network(draw(st.sampled_from(["0.0.0.0/0", "2001:db8::/32"])))
    bits = space.max_prefixlen
    length = draw(st.integers(space.prefixlen, bits))
    offset = draw(st.integers(0, space.num_addresses - 1))
    cidr: Network = ip_network((int(space.network_address) + offset, length), strict=False)
    if length == bits:
        return IpBlock(cidr)
    holes = [_hole(draw, cidr) for _ in range(draw(st.integers(0, 4)))]
    return IpBlock(cidr, tuple(holes))


def _hole(draw: st.DrawFn, cidr: Network) -> Network:
    length = draw(st.integers(cidr.prefixlen + 1, min(cidr.max_prefixlen, cidr.prefixlen + 4)))
    offset = draw(st.integers(0, 2 ** (length - cidr.prefixlen) - 1))
    first = int(cidr.network_address) + (offset << (cidr.max_prefixlen - length))
    hole: Network = ip_network((first, length))
    return hole


pod_peers = st.builds(PodPeer, selectors, st.none() | selectors)
peers = pod_peers | st.builds(AddressPeer, ip_blocks())
rules = st.builds(Rule, st.lists(peers, max_size=3).map(tuple), some_ports)
directions = st.none() | st.lists(rules, max_size=3).map(tuple)

annotations = st.dictionaries(
    st.sampled_from(["note", "synth.dev/role", "Example.COM/x"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.sampled_from(LABEL_VALUES)
    | st.sampled_from(["a: b", "# c", " x ", "\n", "a\nb\n", "\x85", "\ufeff", "22:22", "=", "<<"]),
    max_size=2,
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Return policies that a NetworkPolicy object can say."""
    ingress, egress = draw(directions), draw(directions)
    return Policy(
        draw(st.sampled_from(["shop", "default", "no", "1e3", "080"])),
        draw(st.sampled_from(["db", "web.v2", "0", "on", "1.5", "a" * 253])),
        draw(selectors),
        () if ingress is None and egress is None else ingress,
        egress,
        tuple(sorted(draw(labels).items())),
        tuple(sorted(draw(annotations).items())),
    )

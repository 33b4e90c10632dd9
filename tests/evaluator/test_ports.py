import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synth.evaluator.ports import WITHOUT_SEMANTICS, PortClasses
from synth.inventory.endpoint import ContainerPort, Endpoint, Kind
from synth.policy import PortSet, Protocol
from tests.evaluator.cluster import outside, pod, ports
from tests.policy.strategies import AWKWARD_PORTS, PORT_NAMES, port_sets, protocols

declared = st.builds(
    ContainerPort, protocols, st.sampled_from(AWKWARD_PORTS), st.sampled_from(["", *PORT_NAMES])
)
pods = st.builds(
    lambda chosen: Endpoint(Kind.POD, "shop", ports=tuple(chosen)), st.lists(declared, max_size=4)
)


def _holds(ports: PortSet, protocol: Protocol, number: int, server: Endpoint) -> bool:
    named = {(one.protocol, one.name) for one in server.ports if one.number == number}
    by_name = any(
        (one.protocol, one.name) in named and one.protocol is protocol for one in ports.names
    )
    return ports.contains(protocol, number) or by_name


@given(
    st.lists(port_sets, max_size=4),
    st.lists(pods, min_size=1, max_size=4),
    st.lists(st.sampled_from(AWKWARD_PORTS) | st.integers(1, 65535), min_size=1, max_size=6),
)
def test_a_class_is_in_a_set_if_the_port_is(
    sets: list[PortSet], servers: list[Endpoint], numbers: list[int]
) -> None:
    classes = PortClasses.of(sets, servers)
    rows = [(p, n, s) for p in Protocol for n in numbers for s in range(len(servers))]
    found = classes.of_rows(
        np.array([p.number for p, _, _ in rows], np.uint8),
        np.array([n for _, n, _ in rows], np.int32),
        np.array([s for _, _, s in rows], np.int32),
    )
    for one, ports_ in enumerate(sets):
        held = classes.table.at(np.array([one]), found)
        expected = [_holds(ports_, p, n, servers[s]) for p, n, s in rows]
        assert held.tolist() == expected


def test_classes_are_as_few_as_the_bounds() -> None:
    without = PortClasses.of([], [pod(ports={"http": "TCP 80"})])
    assert without.table.columns == 6  # a protocol's port 0, and all others
    one = PortClasses.of([ports("TCP 80-90")], [pod(ports={"http": "TCP 80"})])
    assert one.table.columns == 8
    assert not len(one.places)


def test_names_that_no_policy_speaks_of_make_no_class() -> None:
    servers = [pod(ports={"http": "TCP 80"}), pod(ports={"web": "TCP 80"}), outside("8.8.8.8")]
    classes = PortClasses.of([ports("TCP http")], servers)
    assert len(classes.places) == 1


def test_other_protocols_have_no_class() -> None:
    classes = PortClasses.of([ports("TCP http")], [pod(ports={"http": "TCP 80"})])
    every = np.arange(256, dtype=np.uint8)
    found = classes.of_rows(every, np.full(256, 80), np.zeros(256, np.int32))
    assert np.flatnonzero(found != WITHOUT_SEMANTICS).tolist() == [6, 17, 132]

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from synth.evaluator.port_spread import Spread, regroup
from synth.policy import PortRange, PortSet, Protocol

PORTS = st.tuples(st.integers(1, 9), st.integers(0, 4)).map(
    lambda pair: PortRange(Protocol.TCP, pair[0], pair[0] + pair[1])
)
SETS = st.lists(PORTS, max_size=3).map(lambda ranges: PortSet(tuple(ranges)))


@given(st.lists(SETS, max_size=4))
def test_each_address_has_the_ports_it_had_in_one_pair_at_most(sets: list[PortSet]) -> None:
    spread: Spread = [(ports, ((10 * at, 10 * at + 5),)) for at, ports in enumerate(sets)]
    grouped = regroup(spread)
    for (number, ports), port in product(enumerate(sets), range(1, 15)):
        found = [
            spans
            for spans, opened in grouped
            if opened.contains(Protocol.TCP, port)
            and any(low <= 10 * number <= high for low, high in spans)
        ]
        assert len(found) == ports.contains(Protocol.TCP, port)
    assert len({spans for spans, _ in grouped}) == len(grouped)

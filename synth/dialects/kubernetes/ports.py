"""The ports of a rule, checked.

| ``protocol`` | ``port`` | ``endPort`` | means |
|---|---|---|---|
| missing | | | TCP |
| any | missing | must be missing | all ports of the protocol, and only of it |
| any | number | missing | the port |
| any | number | number, not less | the ports, both ends included |
| any | name | must be missing | the port of that name in each destination pod |
"""

from synth.dialects.kubernetes.names import is_port_name
from synth.dialects.kubernetes.nodes import Node
from synth.policy import NamedPort, PortRange, PortSet, Protocol

LAST_PORT = 65535

A_PORT = f"a number of 1 to {LAST_PORT}, without quotes"
A_PORT_NAME = (
    "a port name: at most 15 lower-case letters, digits and single '-', a letter at least, "
    "no '-' at the ends"
)


def read_ports(node: Node) -> PortSet:
    """Return the ports; all of all protocols if the list is empty; without what is faulty."""
    items = node.items()
    if not items:
        return PortSet.every()
    terms = (_term(item) for item in items)
    return PortSet.of(*(term for term in terms if term is not None))


def _term(node: Node) -> PortRange | NamedPort | None:
    fields = node.fields("protocol", "port", "endPort")
    protocol = _protocol(fields.get("protocol"))
    port, end = fields.get("port"), fields.get("endPort")
    if port is None:
        if end is not None:
            end.refuse("no endPort without a port")
        return PortRange(protocol, 1, LAST_PORT) if protocol else None
    if isinstance(port.value, str):
        return _named(protocol, port, end)
    return _range(protocol, port, end)


def _protocol(node: Node | None) -> Protocol | None:
    """Return the protocol, TCP if it is missing; None, and a fault, if it is none of the three."""
    if node is None:
        return Protocol.TCP
    if not isinstance(node.value, str) or node.value not in tuple(Protocol):
        node.refuse("TCP, UDP or SCTP")
        return None
    return Protocol(node.value)


def _named(protocol: Protocol | None, port: Node, end: Node | None) -> NamedPort | None:
    if end is not None:
        end.refuse("no endPort beside a named port")
    name = str(port.value)
    if name.isdigit():
        port.refuse(A_PORT, "Remove the quotes.")
    elif not is_port_name(name):
        port.refuse(A_PORT_NAME)
    return NamedPort(protocol, name) if protocol else None


def _range(protocol: Protocol | None, port: Node, end: Node | None) -> PortRange | None:
    first = _number(port)
    last = first if end is None else _number(end)
    if first is None or last is None or protocol is None:
        return None
    if end is not None and last < first:
        end.refuse(f"an endPort of at least port, which is {first}")
        return None
    return PortRange(protocol, first, last)


def _number(node: Node) -> int | None:
    number = node.value
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= LAST_PORT:
        return number
    node.refuse(A_PORT)
    return None

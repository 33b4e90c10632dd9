"""Who held the addresses of a record at its time."""

import pyarrow as pa

from synth.buffers import read_values
from synth.edges.place import Places
from synth.flows import FlowBatch
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import NEVER, Inventory, Node, Pod
from synth.policy.address import unpack_address
from synth.proof.explained import Held, Holder

_PARTS = {
    "src": "sender",
    "dst": "receiver",
    "asked": "asked for, before translation",
    "seen_src": "sender, as the receiver saw it",
}
_CERTAINTY = {Kind.AMBIGUOUS: "ambiguous", Kind.UNHELD: "unknown"}
_SECOND = 1_000_000

Span = tuple[int, int]


def find_held(batch: FlowBatch, inventory: Inventory) -> tuple[Held, ...]:
    """Return the addresses of the batch's one record, and who held them then."""
    places = Places(inventory, batch)
    table, span = batch.table, _span(batch)
    numbers = {
        part: places.name(table.column(part))
        if part == "asked"
        else places.place(table.column(part)).endpoint
        for part in _PARTS
    }
    return tuple(
        _one(_PARTS[part], table.column(part), places.endpoints[int(number[0])], inventory, span)
        for part, number in numbers.items()
        if table.column(part)[0].is_valid
    )


def _one(part: str, column: pa.Array, endpoint: Endpoint, inventory: Inventory, span: Span) -> Held:
    text = str(unpack_address(column[0].as_py()))
    certainty = _CERTAINTY.get(endpoint.kind, "exact")
    return Held(part, text, endpoint, certainty, _holders(text, inventory, span))


def _span(batch: FlowBatch) -> Span:
    """Return when the record's connection may have been opened, microseconds, slack included."""
    table, names = batch.table, ("start", "end")
    if batch.opened is not None:
        table, names = batch.opened, ("first", "last")
    start, end = (
        None if column.null_count else int(read_values(column)[0])
        for column in map(table.column, names)
    )
    return (
        -NEVER if start is None else start - int(batch.early),
        NEVER if end is None else end + int(batch.late),
    )


def _holders(text: str, inventory: Inventory, span: Span) -> tuple[Holder, ...]:
    """Return the pods, else the nodes, that held the address at some time of the span."""
    pods = [
        Holder(f"{one.namespace}/{one.name}", one.workload, one.start, one.end)
        for one in inventory.pods
        if text in one.addresses and not one.host_network and _meets(one, span)
    ]
    nodes = [
        Holder(one.name, "", None, one.end) for one in inventory.nodes if _is_at(one, text, span)
    ]
    return tuple(sorted(pods or nodes, key=lambda one: (one.start or 0, one.name)))


def _meets(pod: Pod, span: Span) -> bool:
    start = -NEVER if pod.start is None else pod.start
    end = NEVER if pod.end is None else max(pod.end, start + _SECOND)
    return start <= span[1] and end > span[0]


def _is_at(node: Node, text: str, span: Span) -> bool:
    return text in node.addresses and (node.end is None or node.end > span[0])

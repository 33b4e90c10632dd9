"""Nodes and addresses of pods, handed out in the order of time as a node's daemon does."""

from heapq import heappop, heappush

import numpy as np

from datasets.generator.life import BITS, Lives, Pods, Slots, hot_pairs
from datasets.generator.options import Options
from datasets.generator.seeds import Floats, Ints, luck

PODS_A_NODE = 30
ROOM = 110
"""Addresses of a node's own, of which a third or so are in use."""


def count_nodes(options: Options, slots: Slots) -> int:
    """Return how many nodes there are."""
    return options.nodes or max(3, -(-int(slots.first[options.workloads]) // PODS_A_NODE))


def settle(options: Options, lives: Lives, slots: Slots) -> Pods:
    """Return the pods with node and address."""
    nodes = count_nodes(options, slots)
    node = _nodes(options, lives, slots, nodes)
    chance = luck(options.seed, "reuse", lives.slot, lives.start)
    room = max(ROOM, 2 * int(slots.first[options.workloads]) // nodes + 8)
    node, address = _hand_out(options, lives, (node, chance), (nodes, room))
    return Pods(
        slot=lives.slot,
        workload=slots.workload[lives.slot],
        start=lives.start,
        end=lives.end,
        version=lives.version,
        node=node,
        address=address,
        addresses=nodes * room,
        key=lives.slot << BITS | lives.start,
        slots=slots,
    )


def _nodes(options: Options, lives: Lives, slots: Slots, nodes: int) -> Ints:
    """Return int64[pods]: where the scheduler puts each; two that swap stay on one node."""
    node = (luck(options.seed, "node", lives.slot, lives.start) * nodes).astype(np.int64)
    first, second = hot_pairs(options, slots)
    if len(first):
        home = np.full(len(slots.workload), -1)
        home[first] = home[second] = (luck(options.seed, "home", first) * nodes).astype(np.int64)
        node = np.where(home[lives.slot] >= 0, home[lives.slot], node)
    return node


class _Node:
    """The addresses of one node: never used ones, freed ones by age, and held ones."""

    __slots__ = ("free", "held", "next")

    def __init__(self, first: int) -> None:
        self.next, self.free, self.held = first, list[int](), list[tuple[int, int]]()


def _hand_out(
    options: Options, lives: Lives, drawn: tuple[Ints, Floats], size: tuple[int, int]
) -> tuple[Ints, Ints]:
    """Return int64[pods] twice, node and address; a full node sends the pod to the next."""
    (node, chance), (nodes, room) = drawn, size
    states = [_Node(one * room) for one in range(nodes)]
    placed, given = node.copy(), np.zeros(len(node), np.int64)
    order = np.lexsort((lives.slot, lives.start))
    starts, ends, wanted = lives.start.tolist(), lives.end.tolist(), node.tolist()
    last_freed = (chance < options.reuse).tolist()
    for pod in order.tolist():
        at = wanted[pod]
        for _ in range(nodes):
            address = _take(states[at], starts[pod], last_freed[pod], (at + 1) * room)
            if address >= 0:
                break
            at = (at + 1) % nodes
        else:
            raise ValueError("more pods at once than the nodes have addresses for")
        heappush(states[at].held, (ends[pod] + options.reuse_after, address))
        placed[pod], given[pod] = at, address
    return placed, given


def _take(node: _Node, now: int, last_freed: bool, limit: int) -> int:  # noqa: FBT001 - a fact
    """Return an address that is free now, or -1."""
    while node.held and node.held[0][0] <= now:
        node.free.append(heappop(node.held)[1])
    if last_freed and node.free:
        return node.free.pop()
    if node.next < limit:
        node.next += 1
        return node.next - 1
    return node.free.pop(0) if node.free else -1

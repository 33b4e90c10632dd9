"""The whole made-up cluster, before any traffic."""

from dataclasses import dataclass

import numpy as np

from datasets.generator.attacks import Calls, make_attacks
from datasets.generator.edges import Edges, join, make_edges
from datasets.generator.life import Pods, make_lives, make_slots
from datasets.generator.options import Options
from datasets.generator.outside import AddressBook, Pool, make_pools
from datasets.generator.places import count_nodes, settle
from datasets.generator.seeds import luck
from datasets.generator.topology import Topology, make_topology
from datasets.generator.workloads import Workload, make_workloads


@dataclass(frozen=True, eq=False)
class World:
    """Everything known about a cluster: ``attacks`` are the calls of the last of the edges."""

    options: Options
    topology: Topology
    workloads: list[Workload]
    pools: list[Pool]
    edges: Edges
    attack_names: tuple[str, ...]
    """The attack of each edge, "" of a legitimate one."""
    attacks: Calls
    pods: Pods
    nodes: int
    book: AddressBook

    @property
    def skew(self) -> "np.typing.NDArray[np.int64]":
        """int64[nodes]: seconds by which each node's clock is off."""
        chance = luck(self.options.seed, "skew", np.arange(self.nodes))
        return np.rint((2 * chance - 1) * self.options.skew).astype(np.int64)

    @property
    def heard(self) -> "np.typing.NDArray[np.bool_]":
        """bool[nodes]: whether the node writes logs."""
        chance = luck(self.options.seed, "missing side", np.arange(self.nodes))
        return np.asarray(chance >= self.options.missing_side)


def make_world(options: Options) -> World:
    """Return the cluster of the options."""
    topology = make_topology(options)
    workloads, pools = make_workloads(options, topology), make_pools(options)
    benign = make_edges(options, workloads, (topology.client, topology.server), pools)
    slots = make_slots(workloads)
    pods = settle(options, make_lives(options, workloads, slots), slots)
    hostile, names, calls = make_attacks(options, workloads, benign, slots, pools)
    nodes = count_nodes(options, slots)
    return World(
        options=options,
        topology=topology,
        workloads=workloads,
        pools=pools,
        edges=join([benign, hostile]),
        attack_names=(*("" for _ in range(len(benign))), *names),
        attacks=calls,
        pods=pods,
        nodes=nodes,
        book=AddressBook.of(pods.addresses, nodes, pools, len(workloads)),
    )

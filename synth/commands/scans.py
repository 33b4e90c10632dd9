"""Clients that were denied many ports: nobody who looks for open doors is let in."""

from collections import defaultdict
from collections.abc import Mapping

from synth.commands.denied_rows import Rows
from synth.inventory.listeners import listeners
from synth.inventory.model import Inventory
from synth.learner.workloads import identity

PORTS = 10
"""Different ports that make a client a scanner, unless half of them are declared."""


def find_scans(rows: Rows, inventory: Inventory) -> Mapping[str, int]:
    """Return identity → number of different ports, of the clients that scan.

    A client with many servers of its own is none: a port counts for it if its server declares it.
    """
    declared = listeners(inventory)
    met: dict[str, set[tuple[int, int]]] = defaultdict(set)
    known: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for row in range(len(rows)):
        client, server = rows.ends(row)
        if not rows.traffic.decided[row]:
            continue
        port = int(rows.traffic.protocol[row]), int(rows.traffic.port[row])
        met[identity(client)].add(port)
        if (server.namespace, server.workload, *port) in declared:
            known[identity(client)].add(port)
    return {
        who: len(ports)
        for who, ports in sorted(met.items())
        if len(ports) >= PORTS and 2 * len(known[who]) < len(ports)
    }

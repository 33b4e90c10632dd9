"""The part of `synth learn` that depends on the number of records; see `benchmarks.learn`."""

import json
import sys
import time

from synth.commands.cluster import open_cluster
from synth.engines.local import fold_units
from synth.inventory.model import Ranges
from synth.sources.files import find_files
from synth.sources.sniff import units


def main() -> None:
    """Print the CPU seconds after the cluster was read, and the number of edges."""
    flows, cluster = sys.argv[1:]
    inventory = open_cluster([cluster], Ranges()).inventory
    begin = time.process_time()
    folded = fold_units(units(find_files([flows]), None, ()), inventory, 1, lambda *_: None)
    work = time.process_time() - begin
    print(json.dumps({"work": work, "edges": len(folded.edges)}))


if __name__ == "__main__":
    main()

"""A cluster, its logs and the truth about both, written into one folder."""

from pathlib import Path

import numpy as np

from datasets.generator.cluster_files import write_cluster
from datasets.generator.options import START, Options
from datasets.generator.traffic import Traffic, write_traffic
from datasets.generator.truth import Truth, make_truth, write_truth
from datasets.generator.world import make_world

AHEAD = "ahead"


def generate(options: Options, out: Path) -> Truth:
    """Return the truth about what was written into ``out``, which must be empty or absent.

    | folder | holds |
    |---|---|
    | `vpc`, `conntrack`, `cluster` | the days to learn from, and what was known by their end |
    | `ahead/…` | the same of the days after, with the cluster from the first day to the last |
    | `truth` | `truth.json`, `edges.parquet`, `holdings.parquet` |

    Raises
    ------
    FileExistsError
        If ``out`` holds anything.

    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out}: expected an empty folder, or none; got one that holds files")
    world = make_world(options)
    learnt = write_traffic(world, out, START, options.split)
    write_cluster(world, out / "cluster", options.split)
    ahead = Traffic(world)
    if options.end > options.split:
        ahead = write_traffic(world, out / AHEAD, options.split, options.end)
        write_cluster(world, out / AHEAD / "cluster", options.end)
    records = learnt.records | {f"{AHEAD}/{name}": n for name, n in ahead.records.items()}
    counts = (np.asarray(learnt.connections), np.asarray(ahead.connections))
    truth = make_truth(world, counts, records)
    write_truth(truth, out)
    return truth

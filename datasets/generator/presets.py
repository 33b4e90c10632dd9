"""Named sets of knobs."""

from collections.abc import Mapping
from typing import Final

from datasets.generator.options import ATTACKS, Options, changed

_OFF: Final = dict.fromkeys(
    (
        *("diurnal", "bursty", "hourly", "daily", "weekly", "monthly", "failover"),
        *("kept_open", "cron_jobs", "rollouts", "blue_green", "restarts", "births"),
        *("deaths", "edge_churn", "twins", "near_twins", "missing_labels", "gaps"),
        *("misleading_labels", "part_of", "lone_namespaces", "references", "peers"),
        *("cdn", "partners", "exposed", "undeclared_ports", "one_way"),
    ),
    0.0,
)

PRESETS: Final[Mapping[str, Options]] = {
    "small": Options(workloads=20, days=3, codec="snappy"),
    "medium": Options(workloads=200, days=7),
    "large": Options(workloads=2_000, days=7, formats=("vpc",)),
    "contaminated": Options(workloads=20, days=3, attacks=ATTACKS),
    "performance": changed(
        Options(),
        workloads=200,
        days=1,
        records=5_000_000,
        formats=("vpc",),
        codec="snappy",
        replicas=25,
        pairs=1_500,
        nodes=100,
        loss=0.1,
        opening=0.31,
        strangers=0.02,
        probes=0.01,
        hot=0.15,
        reuse=1.0,
        snat=False,
        dns=False,
        brief=True,
        **_OFF,
    ),
}
"""``performance`` is the shape of the speed figures: 5,000 pods, 200 workloads, 1,500 pairs, 15 %
of the addresses changing hands, 2 % of the connections with the outside, 0.3 % rejected probes."""

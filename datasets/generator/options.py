"""Every knob of the generator, with what it does."""

from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Final

HOUR: Final = 3600
DAY: Final = 24 * HOUR
START: Final = 1_740_960_000
"""The first second of every capture: Monday, 2025-03-03, midnight UTC."""
NEVER: Final = 1 << 33
"""The second after the last: the end of what does not end."""
ATTACKS: Final = ("fast-scan", "slow-scan", "movement", "beacon", "poisoning")
FORMATS: Final = ("vpc", "conntrack")
CODECS: Final = ("gzip", "snappy")


def _knob(default: Any, text: str) -> Any:  # noqa: ANN401 - the type stands at the field
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to make; a *share* is from 0 to 1, and 0 switches its knob off."""

    seed: int = _knob(1, "another seed makes another cluster")
    workloads: int = _knob(200, "workloads that exist at the start")
    days: float = _knob(7, "days to learn from, in whole hours")
    ahead: float = _knob(0, "days after those, written apart, to judge on")
    formats: tuple[str, ...] = _knob(FORMATS, "logs to write: vpc, conntrack")
    codec: str = _knob("gzip", "compression of VPC logs: gzip, as AWS delivers them, or snappy")

    connections: int | None = _knob(None, "connections a day; by default 1,000 a workload")
    records: int | None = _knob(
        None, "just so many VPC records to learn from; needs an even load (diurnal 0)"
    )
    replicas: int | None = _knob(None, "as many for each workload, instead of drawn ones")
    most_replicas: int | None = _knob(None, "the cap on drawn ones; by default 10, 20 or 30")
    pairs: int | None = _knob(None, "so many pairs of any workloads, instead of drawn degrees")
    density: float | None = _knob(None, "thin the edges to this share of all pairs")
    nodes: int | None = _knob(None, "nodes; by default one for 30 pods")

    zipf: float = _knob(1.0, "exponent of the callers' rates: the n-th opens as many as n^-zipf")
    diurnal: float = _knob(0.6, "how far load swings about its mean over a day, 0 to 1")
    bursty: float = _knob(0.12, "share of edges that are silent but for bursts")
    hourly: float = _knob(0.05, "share of edges used once an hour")
    daily: float = _knob(0.06, "share of edges used once a day")
    weekly: float = _knob(0.04, "share of edges used once a week")
    monthly: float = _knob(0.01, "share of edges used once in 30 days")
    failover: float = _knob(0.02, "share of edges used only in failovers, one in 20 days")
    kept_open: float = _knob(0.1, "share of edges with long-lived connections, older than the logs")
    opening: float | None = _knob(None, "share of talks that show their opening, on every edge")

    cron_jobs: float = _knob(0.08, "share of workloads that are CronJobs, with a pod for each run")
    rollouts: float = _knob(0.1, "rollouts of a Deployment or StatefulSet a day")
    blue_green: float = _knob(0.04, "share of Deployments that change between two colours")
    restarts: float = _knob(0.02, "restarts of a pod a day")
    hot: float = _knob(0.0, "share of pods whose addresses change hands 2 to 23 times a day")
    births: float = _knob(0.0027, "new workloads a day, as a share of the first ones")
    deaths: float = _knob(0.0010, "share of workloads removed a day")
    edge_churn: float = _knob(0.001, "share of edges that begin, and that end, a day")
    reuse: float = _knob(0.5, "share of pods that take the address that was freed last")
    reuse_after: int = _knob(5, "seconds before an address is given to another pod")

    twins: float = _knob(0.04, "share of workloads that are one role with another")
    near_twins: float = _knob(0.04, "share of workloads that differ from another by one edge")
    missing_labels: float = _knob(0.05, "share of workloads without a label of their own")
    misleading_labels: float = _knob(0.05, "share of workloads that carry another one's name")
    part_of: float = _knob(0.5, "share of workloads that share a part-of label with strangers")
    lone_namespaces: float = _knob(0.1, "share of namespaces with a single workload")
    references: float = _knob(0.3, "share of edges that the client's environment names")
    undeclared_ports: float = _knob(0.1, "share of workloads that declare no container port")

    udp: float = _knob(0.05, "share of servers that answer on UDP")
    one_way: float = _knob(0.03, "share of servers that take UDP and never answer")
    peers: float = _knob(0.05, "share of StatefulSets whose pods talk on the port both listen on")
    ephemeral_ports: float = _knob(0.08, "share of servers on 50051, within the ephemeral range")
    cdn: float = _knob(0.03, "share of workloads that call a pool of addresses behind one name")
    partners: float = _knob(0.03, "share of workloads that call one address outside")
    exposed: float = _knob(0.05, "share of workloads behind a LoadBalancer, half of them Local")
    strangers: float = _knob(0.0, "connections with any of 20,000 addresses outside, as a share")
    probes: float = _knob(0.001, "rejected probes from outside, as a share of connections")
    dns: bool = _knob(True, "CoreDNS, which every caller asks")  # noqa: FBT003 - a default
    snat: bool = _knob(True, "traffic to the outside leaves with the node's address")  # noqa: FBT003

    brief: bool = _knob(False, "a dump of one list and of the DELETED events only")  # noqa: FBT003

    loss: float = _knob(0.0, "share of records lost")
    missing_side: float = _knob(0.0, "share of nodes that write no logs")
    skew: float = _knob(0.0, "most seconds that a node's clock is off")
    gaps: float = _knob(1.0, "NODATA and SKIPDATA rows of an interface a day")

    attacks: tuple[str, ...] = _knob((), f"any of {', '.join(ATTACKS)}, or all")
    scan_targets: int = _knob(200, "addresses and ports that one scan tries")
    poison_replicas: int = _knob(2, "replicas that poisoning holds: m")
    poison_days: int = _knob(2, "days on which poisoning acts: d")

    def __post_init__(self) -> None:
        """Refuse what cannot be made.

        Raises
        ------
        ValueError
            Naming each fault.

        """
        faults = [*self._faults()]
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def split(self) -> int:
        """The second at which learning ends and judging begins."""
        return START + round(self.days * 24) * HOUR

    @property
    def end(self) -> int:
        """The second at which everything ends."""
        return self.split + round(self.ahead * 24) * HOUR

    @property
    def connections_a_day(self) -> float:
        """Connections a day, all edges together, attacks left out."""
        if self.records is not None:  # more than enough: 3.6 records are left by one connection
            return 1.1 * self.records / (3.6 * (1 - self.loss)) / self.days
        return float(1_000 * self.workloads if self.connections is None else self.connections)

    @property
    def replica_cap(self) -> int:
        """The most replicas of a workload: figures of a whole fleet do not fit into a cluster."""
        if self.most_replicas is not None:
            return self.most_replicas
        return 10 if self.workloads <= 20 else 20 if self.workloads <= 200 else 30

    def _faults(self) -> list[str]:
        faults = [
            f"{one.name}: expected at least 0, got {value}"
            for one in fields(self)
            if isinstance(value := getattr(self, one.name), int | float) and value < 0
        ]
        faults += [
            f"{one.name}: expected a share of at most 1, got {value}"
            for one in fields(self)
            if "share" in one.metadata["help"] and (value := getattr(self, one.name) or 0) > 1
        ]
        if self.workloads < 5 or round(self.days * 24) < 1:
            faults.append("expected at least 5 workloads and an hour of logs")
        for name, known in (("formats", FORMATS), ("attacks", ATTACKS), ("codec", CODECS)):
            value = getattr(self, name)
            unknown = {*((value,) if isinstance(value, str) else value)} - {*known}
            if unknown:
                faults.append(f"{name}: expected any of {', '.join(known)}, got {sorted(unknown)}")
        return faults


DEFAULTS: Final = {one.name: one.default for one in fields(Options) if one.default is not MISSING}


def changed(options: Options, **knobs: Any) -> Options:  # noqa: ANN401 - any knob
    """Return the options with these knobs changed."""
    return replace(options, **knobs)

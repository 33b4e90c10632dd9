"""CPU seconds of all-pairs connectivity, beside network-config-analyzer and a loop over pairs.

    python -m benchmarks.connectivity [classes]

| contestant | does |
|---|---|
| synth | compiles policies, then a set of ports for every pair of classes and addresses outside |
| analyzer | network-config-analyzer's connectivity map, its start measured apart and left out |
| loop | the tests' scalar reference, asked of a sample of pairs and ports, scaled to all |

One cluster a size: every pod a class of its own, every namespace denied by default. All run on
one thread, synth three times over, of which the median counts; the loop must agree with synth on
its sample. The analyzer is installed into an environment below `build/`; where it is not to be
had, or takes longer than ten minutes, its column is empty.
"""

import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from synth.dialects.kubernetes import parse_policies  # noqa: E402 - below the path
from synth.evaluator.compile import compile_policies  # noqa: E402
from synth.evaluator.connectivity import Connectivity, connect_compiled  # noqa: E402
from synth.evaluator.outside import Outside, list_outside  # noqa: E402
from synth.inventory.endpoint import ContainerPort, Endpoint, Kind  # noqa: E402
from synth.policy import PolicySet, Protocol  # noqa: E402
from tests.conformance.nca.analyzer import Analyzer, Missing  # noqa: E402
from tests.reference import Flow, Pod, Reference  # noqa: E402

SIZES = ((30, 15), (100, 50), (200, 100))
LARGE = 3_000
SAMPLE = 4_000
ROUNDS = 3
HEAD = (
    "| pods | policies | synth CPU s: compile + pairs | peak MB | analyzer | loop"
    " | analyzer ÷ synth | loop ÷ synth |"
)
PORTS = (*range(8000, 8016), 443, 5432)
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Pods of several namespaces, and policies as YAML would load them."""

    pods: tuple[Pod, ...]
    namespaces: dict[str, dict[str, str]]
    policies: tuple[Document, ...]


def main() -> None:
    """Print a table of each size, and what the large one takes step by step."""
    classes = int(sys.argv[1]) if len(sys.argv) > 1 else LARGE
    analyzer = _analyzer()
    print(HEAD)
    print("|" + "---:|" * HEAD.count(" | ") + "---:|")
    for pods, policies in SIZES:
        print(_row(_cluster(pods, policies), analyzer), flush=True)
    print(_row(_cluster(classes, classes * 5 // 3), None), flush=True)


def _analyzer() -> Analyzer | None:
    try:
        return Analyzer.installed()
    except Missing as reason:
        print(f"without network-config-analyzer: {reason}\n")
        return None


def _row(cluster: Cluster, analyzer: Analyzer | None) -> str:
    policies = parse_policies(cluster.policies, "benchmark").policies
    endpoints = [_endpoint(pod) for pod in cluster.pods]
    outside = list_outside(policies)
    rounds = [_round(policies, tuple(endpoints), outside, cluster) for _ in range(ROUNDS)]
    found = rounds[0][0]
    compiling, pairing = median(one[1] for one in rounds), median(one[2] for one in rounds)
    own = compiling + pairing
    loop = _loop(cluster, found)
    other = _analyze(cluster, analyzer)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = (
        f"{len(endpoints):,}",
        f"{len(policies):,}",
        f"{compiling:.3f} + {pairing:.3f}",
        f"{peak:,.0f}",
        "" if other is None else f"{other:.1f}",
        f"{loop:,.1f}",
        "" if other is None else f"{other / own:,.0f}",
        f"{loop / own:,.0f}",
    )
    return f"| {' | '.join(told)} |"


def _round(
    policies: PolicySet,
    pods: tuple[Endpoint, ...],
    outside: tuple[Outside, ...],
    cluster: Cluster,
) -> tuple[Connectivity, float, float]:
    """Return the connectivity, and CPU seconds of compiling and of all pairs."""
    begin = time.process_time()
    endpoints = (*pods, *(one.endpoint for one in outside))
    compiled = compile_policies(policies, endpoints, cluster.namespaces)
    between = time.process_time()
    found = connect_compiled(compiled, pods, outside)
    return found, between - begin, time.process_time() - between


def _loop(cluster: Cluster, found: Connectivity) -> float:
    """Return what the loop would take for all pairs and one port of each piece.

    Raises
    ------
    SystemExit
        If it disagrees.

    """
    ends: list[Pod | str] = [*cluster.pods, *(one.endpoint.address for one in found.outside)]
    probes = _probes(found)
    rng = random.Random(1)
    judge = Reference(cluster.policies, cluster.namespaces)
    pods = len(cluster.pods)
    drawn = [(rng.randrange(pods), rng.randrange(len(ends))) for _ in range(SAMPLE)]
    pairs = [(b, a) if turn % 2 else (a, b) for turn, (a, b) in enumerate(drawn) if a != b]
    asked = [(*pair, *rng.choice(probes)) for pair in pairs]
    begin = time.process_time()
    answers = [
        judge.judge(Flow(ends[client], ends[client], ends[server], protocol.value, port)).allowed
        for client, server, protocol, port in asked
    ]
    seconds = time.process_time() - begin
    ours = [found.ports(one[0], one[1]).contains(one[2], one[3]) for one in asked]
    if ours != answers:
        raise SystemExit("the loop and synth disagree")
    questions = (len(ends) ** 2 - (len(ends) - pods) ** 2) * len(probes)
    return seconds / len(asked) * questions


def _probes(found: Connectivity) -> list[tuple[Protocol, int]]:
    """Return one port of each piece between the borders of all sets."""
    cuts = {
        (one.protocol, port)
        for some in found.sets
        for one in some.ranges
        for port in (one.first, one.last + 1)
        if port <= 65535
    }
    return sorted(cuts | {(protocol, 1) for protocol in Protocol})


def _analyze(cluster: Cluster, analyzer: Analyzer | None) -> float | None:
    if analyzer is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        start = _children(analyzer.start)
        try:
            whole = _children(
                lambda: analyzer.connectivity(
                    cluster.pods, cluster.namespaces, cluster.policies, Path(folder)
                )
            )
        except subprocess.TimeoutExpired:
            return None
    return max(0.0, whole - start)


def _children(run: Callable[[], object]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _endpoint(pod: Pod) -> Endpoint:
    return Endpoint(
        kind=Kind.POD,
        namespace=pod.namespace,
        workload=f"Deployment/{pod.name}",
        labels=tuple(sorted(pod.labels.items())),
        ports=tuple(ContainerPort(Protocol(p), number, name) for name, p, number in pod.ports),
    )


def _cluster(pods: int, policies: int) -> Cluster:
    rng = random.Random(pods)
    spaces = [f"ns{one}" for one in range(max(3, pods // 15))]
    made = tuple(
        Pod(
            namespace=spaces[one % len(spaces)],
            name=f"app{one}",
            labels={"app": f"app{one}", "tier": rng.choice("abc")},
            address=f"10.{one >> 16}.{one >> 8 & 255}.{one & 255}",
            ports=(("http", "TCP", rng.choice((8000, 8001))),),
        )
        for one in range(pods)
    )
    deny = [_policy(space, "deny", {}, {"policyTypes": ["Ingress", "Egress"]}) for space in spaces]
    named = [_named(rng, number, made) for number in range(max(0, policies - len(deny)))]
    labels = {space: {"team": f"t{at % 9}"} for at, space in enumerate(spaces)}
    return Cluster(made, labels, (*deny, *named))


def _named(rng: random.Random, number: int, pods: Sequence[Pod]) -> Document:
    pod = rng.choice(pods)
    rules = {
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [_rule(rng, "from", pods) for _ in range(2)],
        "egress": [_rule(rng, "to", pods) for _ in range(2)],
    }
    return _policy(pod.namespace, f"policy{number}", {"app": pod.labels["app"]}, rules)


def _policy(namespace: str, name: str, labels: dict[str, str], spec: Document) -> Document:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"podSelector": {"matchLabels": labels}, **spec},
    }


def _rule(rng: random.Random, key: str, pods: Sequence[Pod]) -> Document:
    peers: list[Document] = [
        {
            "namespaceSelector": {},
            "podSelector": {"matchLabels": {"app": rng.choice(pods).labels["app"]}},
        },
        {
            "namespaceSelector": {"matchLabels": {"team": f"t{rng.randrange(9)}"}},
            "podSelector": {"matchLabels": {"tier": rng.choice("abc")}},
        },
    ]
    if rng.random() < 0.2:
        hole = f"203.0.{rng.randrange(9)}.0/24"
        peers.append({"ipBlock": {"cidr": "203.0.0.0/17", "except": [hole]}})
    port = rng.choice(PORTS)
    ports: list[Document] = [{"port": port, "endPort": port + rng.choice((0, 0, 0, 5))}]
    ports.append({"port": 53, "protocol": "UDP"} if rng.random() < 0.2 else {"port": "http"})
    return {key: peers[rng.randrange(2) :], "ports": ports[: rng.choice((1, 1, 2))]}


if __name__ == "__main__":
    main()

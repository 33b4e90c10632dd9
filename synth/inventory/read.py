"""Files of a cluster dump → ``Inventory``: what ``kubectl get`` printed, at any number of times."""

from collections.abc import Sequence
from typing import Final

from synth.errors import Fault, InputError
from synth.inventory.daemons import list_daemons, list_switches
from synth.inventory.documents import File, find_files, load_documents
from synth.inventory.fields import Faults
from synth.inventory.kinds import CLUSTER_WIDE, PARSERS, PolicyDocument
from synth.inventory.lifetimes import count_clashes, find_lives, split_life
from synth.inventory.model import Inventory, Ranges, Service
from synth.inventory.names import read_names
from synth.inventory.nodes import complete_ranges, list_namespaces, list_nodes
from synth.inventory.pods import SeenPod
from synth.inventory.rollup import list_workloads
from synth.inventory.services import Called
from synth.inventory.sightings import UNDATED, Dump, merge_dumps, read_documents
from synth.inventory.workloads import SeenWorkload

MOST_FAULTS: Final = 100
"""Of one file; a dump of another program would have one for each object."""

KUBECTL: Final = (
    "kubectl get pods,services,nodes,namespaces,deployments,statefulsets,daemonsets,replicasets,"
    "jobs,cronjobs,configmaps,networkpolicies -A -o json > cluster.json"
)


def read_cluster(
    paths: Sequence[str], *, ranges: Ranges | None = None, addresses: Sequence[str] = ()
) -> Inventory:
    """Return the inventory that the files and folders show, without endpoints and holdings.

    Any mix of ``kubectl get`` lists of one or several times, watch streams (with or without
    ``--output-watch-events``), single objects and manifests, as JSON or YAML.

    kubectl prints no time of its own, so a list speaks for the newest time found in it (of
    creation, start, conditions, containers, managed fields); the time of the file is never used.
    A list that misses what an earlier one of the same kind and namespace held says that it is
    gone.

    Parameters
    ----------
    paths
        Files, and folders in which every .json, .yaml and .yml file is read. Their order makes no
        difference.
    ranges
        Declared address ranges; those of the nodes' podCIDRs stand for pod ranges not given.
    addresses
        Files that name outside addresses (see ``read_names``).

    Raises
    ------
    InputError
        With all faults of all files.

    """
    dump = _read_files(find_files(paths))
    if not any(isinstance(one.content, SeenPod | SeenWorkload) for one in dump.sightings):
        got = f"{len(dump.sightings)} objects, and none of them"
        remedy = f"Write a dump with: {KUBECTL}"
        raise InputError(Fault(", ".join(sorted(paths)), "pods or workloads", got, remedy))
    return _build(dump, ranges or Ranges(), read_names(addresses))


def _read_files(files: list[File]) -> Dump:
    dumps: list[Dump] = []
    faults: list[Fault] = []
    for file in files:
        try:
            dumps.append(_read_file(file))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(*faults)
    return merge_dumps(dumps)


def _read_file(file: File) -> Dump:
    documents = load_documents(file.path)
    strangers = [one for one in documents if isinstance(one, dict) and not _has_kind(one)]
    if strangers and not file.named and len(strangers) == len(documents):
        # Folders of manifests also hold values, kustomizations and the like.
        return Dump((), (), (f"{file.path}: left out, as it holds no Kubernetes object.",))
    faults = Faults(file.path)
    dump = read_documents(file.path, documents, PARSERS, CLUSTER_WIDE, faults)
    if faults.found:
        raise InputError(*_capped(file.path, faults.found))
    return dump


def _has_kind(document: dict[object, object]) -> bool:
    return "kind" in document or {"type", "object"} <= document.keys()


def _capped(path: str, faults: list[Fault]) -> list[Fault]:
    unique = list(dict.fromkeys(faults))
    if len(unique) <= MOST_FAULTS:
        return unique
    rest = Fault(path, "no further fault", f"{len(unique) - MOST_FAULTS} more")
    return [*unique[:MOST_FAULTS], rest]


def _build(dump: Dump, ranges: Ranges, names: tuple[tuple[str, str], ...]) -> Inventory:
    services = [service for _, service in dump.present(Service)]
    lives = find_lives(dump)
    known = frozenset((one.namespace, one.name) for one in services)
    workloads, keys = list_workloads(dump, lives, known)
    nodes = list_nodes(dump)
    pods = [pod for life, key in zip(lives, keys, strict=True) for pod in split_life(life, key)]
    mentioned = {one.namespace for one in dump.sightings if one.namespace}
    called = {one for _, some in dump.present(Called) for one in some.services}
    return Inventory(
        namespaces=tuple(list_namespaces(dump, mentioned)),
        workloads=tuple(workloads),
        services=tuple(services),
        nodes=tuple(nodes),
        pods=tuple(pods),
        ranges=complete_ranges(ranges, nodes),
        policies=tuple(one.value for _, one in dump.present(PolicyDocument)),
        admission=tuple(sorted(called)),
        observed=_find_span(dump),
        names=names,
        warnings=(*dump.warnings, *_warn_of_clashes(dump)),
        daemons=list_daemons(dump),
        switches=list_switches(dump),
    )


def _find_span(dump: Dump) -> tuple[int, int] | None:
    """Return the time of the first sighting of a pod, and of the last sighting of anything."""
    of_pods = [one.time for one, _ in dump.of(SeenPod) if one.time != UNDATED]
    of_any = [one.time for one in dump.sightings if one.time != UNDATED]
    return (min(of_pods), max(of_any)) if of_pods else None


def _warn_of_clashes(dump: Dump) -> list[str]:
    addresses, pods = count_clashes(dump)
    if not addresses:
        return []
    pods_of = f"{addresses} addresses are held by several live pods at once ({pods} pods)"
    return [f"{pods_of}: records of these addresses are ambiguous."]

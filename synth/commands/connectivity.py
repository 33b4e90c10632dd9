"""``connectivity``: who may reach whom on what, from policies and inventory alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from synth.commands.cluster import Cluster, named_blocks, open_cluster
from synth.commands.enforcement import check_name, review, settle
from synth.commands.parties import Choice, choose, list_parties
from synth.dialects.kubernetes.kinds import Found, OtherPolicy, other_policy
from synth.evaluator.connected import Connected
from synth.evaluator.connectivity import connect
from synth.evaluator.outside import EVERYWHERE, spans_of_networks, without
from synth.evaluator.reach import End, Question, find_reach, find_standing
from synth.inventory.model import Inventory, Ranges
from synth.inventory.present import Present, exists, list_present, without_address
from synth.learner.peers import node_subnets
from synth.policy.address import Network
from synth.policy.model import PolicySet


@dataclass(frozen=True, slots=True)
class ConnectivityRequest:
    """What ``synth connectivity`` is asked; without policies, the cluster's own are meant.

    ``sources`` and ``destinations`` are names (``shop/web``, ``shop``), addresses or CIDRs; empty:
    all.
    """

    cluster: tuple[str, ...]
    policies: tuple[str, ...] = ()
    ranges: Ranges = field(default_factory=Ranges)
    sources: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    pods: bool = False
    """Pods one by one instead of workloads."""
    nodes: bool = False
    """Node addresses too."""
    cni: str | None = None
    """The network plugin; None: the cluster files tell."""


def connectivity(request: ConnectivityRequest) -> Connected:
    """Return who may reach whom.

    Raises
    ------
    UsageError
        If a source or destination means nothing in the cluster, or no profile is named ``cni``.
    InputError
        If a file cannot be used.

    """
    check_name(request.cni)
    cluster = open_cluster(request.cluster, request.ranges, request.policies or None)
    inventory, policies = cluster.inventory, cluster.policies
    present = list_present(inventory, named_blocks(policies))
    endpoints = sorted({one.endpoint for one in present})
    enforcement, options = settle(review(inventory, policies, request.cni))
    found = connect(policies, endpoints, inventory.namespace_labels, options=options)
    number = {endpoint: at for at, endpoint in enumerate(endpoints)}
    parties = list_parties(present, number, pods=request.pods)
    sources = choose(request.sources, parties, inventory, "--from")
    destinations = choose(request.destinations, parties, inventory, "--to")
    listed = set(sources.numbers) | set(destinations.numbers)
    question = Question(
        parties=parties,
        clients=sources.numbers,
        servers=destinations.numbers,
        sources=_places(sources, inventory, nodes=request.nodes),
        destinations=_places(destinations, inventory, nodes=request.nodes),
    )
    return Connected(
        parties=tuple(parties[at].name for at in destinations.numbers),
        reach=find_reach(found, question),
        standing=find_standing(found, (parties[at] for at in sorted(listed))),
        policies=tuple(map(str, policies)),
        level="pod" if request.pods else "workload",
        left_out=_left_out(inventory, nodes=request.nodes),
        elsewhere=_elsewhere(cluster, request),
        enforcement=enforcement,
        warnings=(
            *_warn_of_no_policy(request, policies),
            *_warn_of_unused(cluster, request),
            *inventory.warnings,
            *_warn_of_addresses(cluster, present),
            *_warn_of_names(present),
        ),
    )


def _places(choice: Choice, inventory: Inventory, *, nodes: bool) -> tuple[End, ...]:
    """Return the addresses outside that are chosen, and those of nodes if they are wanted."""
    ranges = inventory.ranges
    own = spans_of_networks((*ranges.pods, *ranges.services))
    of_nodes = without(spans_of_networks(map(str, _subnets(inventory))), own)
    rest = without(EVERYWHERE, (*own, *of_nodes))
    places = (End(spans=rest), *((End(spans=of_nodes, node=True),) if nodes else ()))
    return choice.within(places)


def _subnets(inventory: Inventory) -> tuple[Network, ...]:
    """Return the nodes' subnets; nodes that share theirs with pods are like anybody outside."""
    return tuple(one for one in node_subnets(inventory) if one.num_addresses > 1)


def _left_out(inventory: Inventory, *, nodes: bool) -> tuple[str, ...]:
    ranges, subnets = inventory.ranges, _subnets(inventory)
    told = "addresses of nodes" if ranges.nodes else "the subnet around the nodes"
    return (
        *(f"{one}: addresses of pods" for one in ranges.pods),
        *(f"{one}: addresses of Services, behind which pods answer" for one in ranges.services),
        *(f"{one}: {told}; --nodes lists it" for one in subnets if not nodes),
        *_left_out_pods(inventory),
    )


def _left_out_pods(inventory: Inventory) -> tuple[str, ...]:
    pods = [one for one in inventory.pods if one.host_network and exists(one, inventory)]
    templates = [one for one in inventory.workloads if one.host_network and one.exists]
    names = {f"{one.namespace}/{one.workload.partition('/')[2]}" for one in pods}
    names |= {f"{one.namespace}/{one.name}" for one in templates}
    return tuple(f"{name}: on the host network, so policies see its node" for name in sorted(names))


def _elsewhere(cluster: Cluster, request: ConnectivityRequest) -> tuple[str, ...]:
    """Return the policies of other kinds: of the policy files, and of the cluster itself."""
    own = _other_policies(cluster.inventory) if request.policies else ()
    return tuple(sorted({*cluster.elsewhere, *map(str, own)}))


def _other_policies(inventory: Inventory) -> tuple[OtherPolicy, ...]:
    """Return the policies of other kinds that the cluster files hold."""
    loaded = [cast("dict[object, object]", one) for one in inventory.policies]
    found = [Found(one, f"policy {at}", "cluster") for at, one in enumerate(loaded, 1)]
    return tuple(sorted(other_policy(one) for one in found if one.is_other))


def _warn_of_no_policy(request: ConnectivityRequest, policies: PolicySet) -> Iterable[str]:
    if not len(policies):
        places = ", ".join(request.policies or request.cluster)
        yield f"no NetworkPolicy in {places}: nothing is isolated, so everything is allowed"


def _warn_of_unused(cluster: Cluster, request: ConnectivityRequest) -> Iterable[str]:
    """Yield that policies of the cluster count for nothing, as others are given instead."""
    others = len(_other_policies(cluster.inventory))
    own = len(cluster.inventory.policies) - others
    if request.policies and own:
        policies = "1 NetworkPolicy" if own == 1 else f"{own} NetworkPolicies"
        yield f"{policies} of the cluster files left out: only those of --policies are evaluated"


def _warn_of_addresses(cluster: Cluster, present: Iterable[Present]) -> Iterable[str]:
    inventory, blocks = cluster.inventory, named_blocks(cluster.policies)
    known = spans_of_networks(inventory.ranges.pods)
    held = spans_of_networks(
        text
        for pod in inventory.pods
        if exists(pod, inventory) and not pod.host_network
        for text in pod.addresses
    )
    if not known or without(held, known):
        yield (
            "not every pod's address is in a known range (--pod-cidr): what is listed of"
            " addresses outside holds theirs too"
        )
    unplaced = without_address(present)
    if unplaced and blocks:
        yield (
            f"no pod range is known (--pod-cidr), so nobody knows which ipBlocks hold the pods of"
            f" {', '.join(unplaced)}: only 0.0.0.0/0 and ::/0 are taken to"
        )


def _warn_of_names(present: Iterable[Present]) -> Iterable[str]:
    kinds: dict[str, set[str]] = {}
    for one in present:
        kinds.setdefault(one.endpoint.name, set()).add(one.endpoint.workload)
    for name, workloads in sorted(kinds.items()):
        if len(workloads) > 1:
            yield f"{name} names {' and '.join(sorted(workloads))}: they are listed together"

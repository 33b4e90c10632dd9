"""The kinds of objects that are read, each with its parser; every other kind is left alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from synth.inventory.fields import Field
from synth.inventory.nodes import parse_config_map, parse_namespace, parse_node
from synth.inventory.pods import parse_pod
from synth.inventory.services import CALLERS, parse_caller, parse_service
from synth.inventory.sightings import Parse
from synth.inventory.workloads import TEMPLATES, parse_workload

POLICIES: Final = (
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("cilium.io", "CiliumNetworkPolicy"),
    ("crd.antrea.io", "ClusterNetworkPolicy"),
    ("crd.antrea.io", "NetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy"),
    ("extensions", "NetworkPolicy"),
    ("networking.k8s.aws", "ApplicationNetworkPolicy"),
    ("networking.k8s.aws", "ClusterNetworkPolicy"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
    ("projectcalico.org", "GlobalNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"),
    ("security.istio.io", "AuthorizationPolicy"),
)
"""API group and kind of what can stop traffic between pods."""

CLUSTER_WIDE: Final = frozenset(
    {
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "CiliumClusterwideNetworkPolicy",
        "ClusterNetworkPolicy",
        "GlobalNetworkPolicy",
        "Namespace",
        "Node",
        *(kind for _, kind in CALLERS),
    }
)
"""Kinds without a namespace."""


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy of any kind, as loaded."""

    value: Mapping[str, Any]


def parse_policy(field: Field, _namespace: str, _name: str) -> PolicyDocument:
    """Return the policy as it is: its dialect reads it."""
    return PolicyDocument(field.mapping())


PARSERS: Final[Mapping[tuple[str, str], Parse]] = {
    ("", "ConfigMap"): parse_config_map,
    ("", "Namespace"): parse_namespace,
    ("", "Node"): parse_node,
    ("", "Pod"): parse_pod,
    ("", "Service"): parse_service,
    **dict.fromkeys(TEMPLATES, parse_workload),
    **dict.fromkeys(CALLERS, parse_caller),
    **dict.fromkeys(POLICIES, parse_policy),
}
"""API group and kind → parser."""

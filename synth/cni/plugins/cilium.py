"""Cilium."""

from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profile import Profile

_CODE: Final = "cilium/cilium pkg/k8s/network_policy.go"
_PAGE: Final = "cilium/cilium Documentation/network/kubernetes/policy.rst"
_LANGUAGE: Final = "cilium/cilium Documentation/security/policy/language.rst"
_READ: Final = "1.15"

PROFILE: Final = Profile(
    "cilium",
    "Cilium",
    (
        Claim(Feature.ENFORCES, Value.YES, "", _PAGE, _READ),
        Claim(Feature.SELECTORS, Value.YES, "", _CODE, _READ),
        Claim(
            Feature.END_PORT,
            Value.NO,
            "only the first port is matched, without a word",
            "cilium/cilium issues 16622, 28684",
            "1.15",
            before="1.16",
        ),
        Claim(
            Feature.END_PORT,
            Value.YES,
            "",
            "cilium/cilium pull requests 32807, 33463",
            "1.16.0-rc.1",
            since="1.16",
        ),
        Claim(
            Feature.SCTP,
            Value.PARTLY,
            "a beta feature that must be switched on (enable-sctp)",
            "Cilium documentation, SCTP support (beta); cilium/cilium issue 5719",
            "1.17",
        ),
        Claim(Feature.EGRESS, Value.YES, "", _CODE, _READ),
        Claim(Feature.IP_BLOCK, Value.YES, "", _PAGE, _READ),
        Claim(Feature.EXCEPT, Value.YES, "", _CODE, _READ),
        Claim(
            Feature.IP_BLOCK_PODS,
            Value.NO,
            "pods are known by their labels, never by their addresses",
            f"cilium/cilium issue 9209; {_PAGE}",
            _READ,
        ),
        Claim(
            Feature.IP_BLOCK_NODES,
            Value.NO,
            "",
            "cilium/cilium issues 12277, 20550",
            "1.14",
            before="1.15",
        ),
        Claim(
            Feature.IP_BLOCK_NODES,
            Value.NO,
            "only where policy-cidr-match-mode holds nodes",
            f"cilium/cilium issue 20550, pull request 27464; {_PAGE}",
            "1.15",
            since="1.15",
        ),
        Claim(Feature.HOST_NETWORK, Value.NO, "they count as their node", _LANGUAGE, _READ),
        Claim(
            Feature.FROM_OWN_NODE,
            Value.YES,
            "unless the agent runs with --allow-localhost=policy",
            _LANGUAGE,
            _READ,
        ),
        Claim(Feature.HAIRPIN, Value.YES, "", "cilium/cilium pull request 15321", "2021"),
    ),
)

"""kube-network-policies, and kindnet, which carries it."""

from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profile import Profile

_CODE: Final = "kubernetes-sigs/kube-network-policies pkg/pipeline/networkpolicy.go"
_PACKET: Final = "kubernetes-sigs/kube-network-policies pkg/network/packet.go"
_READ: Final = "main, 2025"

_CLAIMS: Final = (
    Claim(Feature.SELECTORS, Value.YES, "", _CODE, _READ),
    Claim(Feature.NAMED_PORTS_INGRESS, Value.YES, "", _CODE, _READ),
    Claim(Feature.NAMED_PORTS_EGRESS, Value.YES, "", _CODE, _READ),
    Claim(Feature.END_PORT, Value.YES, "", _CODE, _READ),
    Claim(Feature.SCTP, Value.YES, "", _PACKET, _READ),
    Claim(Feature.EGRESS, Value.YES, "", _CODE, _READ),
    Claim(Feature.IP_BLOCK, Value.YES, "", _CODE, _READ),
    Claim(Feature.EXCEPT, Value.YES, "", _CODE, _READ),
    Claim(Feature.IP_BLOCK_PODS, Value.YES, "addresses are compared", _CODE, _READ),
    Claim(Feature.IP_BLOCK_NODES, Value.YES, "addresses are compared", _CODE, _READ),
    Claim(Feature.DUAL_STACK, Value.YES, "", _PACKET, _READ),
    Claim(
        Feature.HOST_NETWORK,
        Value.NO,
        "",
        "kubernetes-sigs/kube-network-policies pull request 389",
        "2026",
    ),
)

PROFILE: Final = Profile(
    "kube-network-policies",
    "kube-network-policies",
    (Claim(Feature.ENFORCES, Value.YES, "", _CODE, _READ), *_CLAIMS),
)

KINDNET: Final = Profile(
    "kindnet",
    "kindnet",
    (
        Claim(
            Feature.ENFORCES,
            Value.PARTLY,
            "from kind 0.24 and kindnet 1.3.0 on; before, policies have no effect",
            "kubernetes-sigs/kind issue 842; kubernetes/minikube issue 19871",
            "kind 0.24",
        ),
        *_CLAIMS,
    ),
)

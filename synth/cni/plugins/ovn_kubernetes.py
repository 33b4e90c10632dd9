"""OVN-Kubernetes, the network of OpenShift."""

from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profile import Profile

_CODE: Final = "ovn-kubernetes/ovn-kubernetes go-controller/pkg/ovn/gress_policy.go"
_READ: Final = "main, 2023"
_OPENSHIFT: Final = "OpenShift Container Platform documentation, Network policy"

PROFILE: Final = Profile(
    "ovn-kubernetes",
    "OVN-Kubernetes",
    (
        Claim(Feature.ENFORCES, Value.YES, "", _CODE, _READ),
        *(
            Claim(
                feature,
                Value.NO,
                "a name counts as no port at all, which admits every port of the protocol",
                f"ovn-kubernetes/ovn-kubernetes issue 2117; {_CODE}",
                _READ,
            )
            for feature in (Feature.NAMED_PORTS_INGRESS, Feature.NAMED_PORTS_EGRESS)
        ),
        Claim(Feature.END_PORT, Value.YES, "", _CODE, _READ),
        Claim(Feature.SCTP, Value.YES, "", _CODE, _READ),
        Claim(Feature.EGRESS, Value.YES, "", _CODE, _READ),
        Claim(Feature.IP_BLOCK, Value.YES, "", _CODE, _READ),
        Claim(Feature.EXCEPT, Value.YES, "", _CODE, _READ),
        Claim(Feature.IP_BLOCK_PODS, Value.YES, "addresses are compared", _CODE, _READ),
        Claim(Feature.DUAL_STACK, Value.YES, "", _CODE, _READ),
        Claim(
            Feature.HOST_NETWORK,
            Value.NO,
            "as a peer, one is matched by namespaceSelector with podSelector {} only",
            _OPENSHIFT,
            "4.20",
        ),
        Claim(Feature.FROM_OWN_NODE, Value.YES, "", _OPENSHIFT, "4.20"),
        Claim(
            Feature.HAIRPIN,
            Value.YES,
            "",
            "ovn-kubernetes/ovn-kubernetes pull request 3500",
            "2023",
        ),
    ),
)

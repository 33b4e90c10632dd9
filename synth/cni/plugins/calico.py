"""Calico, and Canal, which is Calico's policies over flannel's network."""

from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profile import Profile

_CODE: Final = "projectcalico/calico libcalico-go/lib/backend/k8s/conversion/conversion.go"
_READ: Final = "main, 2024"

_CLAIMS: Final = (
    Claim(Feature.ENFORCES, Value.YES, "", _CODE, _READ),
    Claim(Feature.SELECTORS, Value.YES, "", _CODE, _READ),
    *(
        Claim(
            feature,
            Value.YES,
            "",
            "projectcalico/libcalico-go issue 770",
            "3.0",
            since="3.0",
        )
        for feature in (Feature.NAMED_PORTS_INGRESS, Feature.NAMED_PORTS_EGRESS)
    ),
    Claim(Feature.END_PORT, Value.YES, "", _CODE, _READ),
    Claim(Feature.SCTP, Value.YES, "", "projectcalico/libcalico-go pull request 1182", "2019"),
    Claim(Feature.EGRESS, Value.YES, "", _CODE, _READ),
    Claim(Feature.IP_BLOCK, Value.YES, "", _CODE, _READ),
    Claim(Feature.EXCEPT, Value.YES, "", _CODE, _READ),
    Claim(Feature.DUAL_STACK, Value.YES, "a pod has one address of each", _CODE, _READ),
    Claim(
        Feature.HOST_NETWORK,
        Value.NO,
        "",
        "projectcalico/felix issue 1361; projectcalico/calico issue 4667",
        "2021",
    ),
    Claim(
        Feature.FROM_OWN_NODE,
        Value.YES,
        "",
        "Calico documentation, Protect hosts",
        "3.x",
    ),
    Claim(
        Feature.TO_OWN_NODE,
        Value.NO,
        "egress rules come first, then the setting defaultEndpointToHostAction",
        "Calico documentation, FelixConfiguration",
        "3.x",
    ),
    Claim(
        Feature.HAIRPIN,
        Value.NO,
        "reported as denied unless a rule admits it",
        "cilium/cilium issue 13767",
        "2020",
    ),
)

PROFILE: Final = Profile("calico", "Calico", _CLAIMS)
CANAL: Final = Profile("canal", "Canal (flannel with Calico's policies)", _CLAIMS)

"""Romana, which stands still since 2018."""

from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profile import Profile

_CODE: Final = "romana/core listener/translate.go"
_READ: Final = "2.0"

PROFILE: Final = Profile(
    "romana",
    "Romana",
    (
        Claim(
            Feature.ENFORCES,
            Value.PARTLY,
            "it knows the API of Kubernetes 1.7 only, and policies are reported to have no effect"
            " on later ones",
            "romana/romana issue 184",
            "2.0.2",
        ),
        Claim(
            Feature.SELECTORS,
            Value.NO,
            "pods are told apart by one label (romana.io/segment) and namespaces by another;"
            " a policy with other selectors is refused",
            f"{_CODE}; romana/romana issue 184",
            _READ,
        ),
        *(
            Claim(feature, Value.NO, "the name is read as port 0", _CODE, _READ)
            for feature in (Feature.NAMED_PORTS_INGRESS, Feature.NAMED_PORTS_EGRESS)
        ),
        Claim(Feature.END_PORT, Value.NO, "only the first port is read", _CODE, _READ),
        Claim(Feature.EGRESS, Value.NO, "only ingress rules are read", _CODE, _READ),
        *(
            Claim(feature, Value.NO, "a policy with such a peer is refused whole", _CODE, _READ)
            for feature in (Feature.IP_BLOCK, Feature.EXCEPT)
        ),
    ),
)

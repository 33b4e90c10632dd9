"""flannel."""

from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profile import Profile

PROFILE: Final = Profile(
    "flannel",
    "flannel",
    (
        Claim(
            Feature.ENFORCES,
            Value.NO,
            "a second program must, such as Calico (Canal), or kube-network-policies (from 0.25.5"
            " on, netpol.enabled of the chart adds it)",
            "flannel-io/flannel issues 558, 2004, pull request 2503, Documentation/netpol.md",
            "0.25.5",
        ),
    ),
)

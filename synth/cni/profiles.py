"""The table of profiles, and the name that each goes by."""

from collections.abc import Mapping
from typing import Final

from synth.cni.plugins import (
    antrea,
    aws_vpc_cni,
    calico,
    cilium,
    flannel,
    kube_network_policies,
    kube_router,
    ovn_kubernetes,
    romana,
    weave,
)
from synth.cni.profile import Profile

PROFILES: Final[tuple[Profile, ...]] = (
    kube_router.PROFILE,
    calico.PROFILE,
    calico.CANAL,
    romana.PROFILE,
    weave.PROFILE,
    cilium.PROFILE,
    antrea.PROFILE,
    ovn_kubernetes.PROFILE,
    aws_vpc_cni.PROFILE,
    kube_network_policies.PROFILE,
    kube_network_policies.KINDNET,
    flannel.PROFILE,
)

BY_NAME: Final[Mapping[str, Profile]] = {one.name: one for one in PROFILES}

"""By what a network plugin is known in a cluster dump: its DaemonSets, images, annotations."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Marks:
    """What tells one plugin.

    ``daemons`` are names of its DaemonSets, ``images`` the ends of the names of its images (a
    mirror changes what stands before), whose tags are its version; ``annotations`` are what keys
    of its nodes' annotations begin with.
    """

    name: str
    daemons: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()

    def runs(self, daemon: str, image: str) -> bool:
        """Return whether a container with this image in this DaemonSet is the plugin's."""
        named = image.partition("@")[0]
        head, _, tail = named.rpartition("/")
        path = f"/{head}/{tail.partition(':')[0]}"
        return daemon in self.daemons or any(path.endswith(f"/{one}") for one in self.images)

    def annotates(self, key: str) -> bool:
        """Return whether the plugin leaves this annotation on nodes."""
        return any(key.startswith(one) for one in self.annotations)


MARKS: Final = (
    Marks(
        "kube-router",
        ("kube-router",),
        ("cloudnativelabs/kube-router", "kube-router"),
        ("kube-router.io/",),
    ),
    Marks(
        "calico",
        ("calico-node", "calico-node-windows", "canal"),
        ("calico/node", "calico-node", "mirrored-calico-node"),
        ("projectcalico.org/",),
    ),
    Marks(
        "romana",
        ("romana-agent",),
        ("romana/agent", "romana-agent"),
    ),
    Marks(
        "weave-net",
        ("weave-net",),
        ("weaveworks/weave-npc", "weave-npc", "weave-kube"),
    ),
    Marks(
        "cilium",
        ("cilium", "anetd"),
        ("cilium/cilium", "cilium/cilium-ci"),
        ("network.cilium.io/", "io.cilium.network."),
    ),
    Marks(
        "antrea",
        ("antrea-agent",),
        ("antrea-agent-ubuntu", "antrea-agent-ubi", "antrea-ubuntu", "antrea-ubi"),
        ("node.antrea.io/",),
    ),
    Marks(
        "ovn-kubernetes",
        ("ovnkube-node", "ovnkube-node-dpu", "ovnkube-single-node-zone"),
        ("ovn-kube-ubuntu", "ovn-kube-fedora"),
        ("k8s.ovn.org/",),
    ),
    Marks(
        "aws-vpc-cni",
        ("aws-node",),
        ("amazon-k8s-cni",),
    ),
    Marks(
        "kube-network-policies",
        ("kube-network-policies",),
        ("kube-network-policies",),
    ),
    Marks(
        "kindnet",
        ("kindnet",),
        ("kindnetd", "kindnet"),
    ),
    Marks(
        "flannel",
        ("kube-flannel-ds", "kube-flannel", "kube-flannel-ds-amd64"),
        ("flannel/flannel", "coreos/flannel", "flannelcni/flannel", "mirrored-flannelcni-flannel"),
        ("flannel.alpha.coreos.com/",),
    ),
)
"""In the order of ``PROFILES``. Canal is Calico and flannel at once."""

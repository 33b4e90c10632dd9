"""What can be said of a network plugin: claims about features, each with its source."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Feature(StrEnum):
    """What a claim is about; ``QUESTIONS`` says what yes and no mean."""

    ENFORCES = "enforces"
    OPT_IN = "opt-in"
    LINUX_ONLY = "linux-only"
    SELECTORS = "selectors"
    NAMED_PORTS_INGRESS = "named-ports-ingress"
    NAMED_PORTS_EGRESS = "named-ports-egress"
    END_PORT = "end-port"
    SCTP = "sctp"
    EGRESS = "egress"
    IP_BLOCK = "ip-block"
    EXCEPT = "except"
    IP_BLOCK_PODS = "ip-block-pods"
    IP_BLOCK_NODES = "ip-block-nodes"
    DUAL_STACK = "dual-stack"
    HOST_NETWORK = "host-network"
    FROM_OWN_NODE = "from-own-node"
    TO_OWN_NODE = "to-own-node"
    HAIRPIN = "hairpin"
    AFTER_DNAT = "after-dnat"
    RULE_LIMITS = "rule-limits"
    BARE_PODS = "bare-pods"


QUESTIONS: Final[Mapping[Feature, str]] = {
    Feature.ENFORCES: "Are NetworkPolicies enforced at all?",
    Feature.OPT_IN: "Must enforcement be switched on?",
    Feature.LINUX_ONLY: "Are policies enforced on Linux nodes only?",
    Feature.SELECTORS: "Is every label selector understood?",
    Feature.NAMED_PORTS_INGRESS: "Are named ports resolved in ingress rules?",
    Feature.NAMED_PORTS_EGRESS: "Are named ports resolved in egress rules?",
    Feature.END_PORT: "Is endPort enforced?",
    Feature.SCTP: "Are SCTP ports enforced?",
    Feature.EGRESS: "Are egress rules enforced?",
    Feature.IP_BLOCK: "Is ipBlock enforced?",
    Feature.EXCEPT: "Is except enforced?",
    Feature.IP_BLOCK_PODS: "Does an ipBlock match the addresses of pods?",
    Feature.IP_BLOCK_NODES: "Does an ipBlock match the addresses of nodes?",
    Feature.DUAL_STACK: "Are IPv4 and IPv6 rules enforced at once?",
    Feature.HOST_NETWORK: "Can a policy select host-network pods?",
    Feature.FROM_OWN_NODE: "Does a pod's own node always reach it?",
    Feature.TO_OWN_NODE: "Does a pod always reach its own node?",
    Feature.HAIRPIN: "Does a pod always reach itself through a Service?",
    Feature.AFTER_DNAT: "Is egress judged after a Service's address is translated?",
    Feature.RULE_LIMITS: "Is there a limit on the ports of a rule?",
    Feature.BARE_PODS: "Are pods without an owner protected?",
}


class Value(StrEnum):
    """The answer to the question of a feature."""

    YES = "yes"
    NO = "no"
    PARTLY = "partly"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Claim:
    """One answer for one feature, true of versions from ``since`` on and below ``before``.

    ``note`` says what the answer means for a policy, ``source`` where that is written, and
    ``version`` what version (or when) the source speaks of. Without a source nothing is known.
    """

    feature: Feature
    value: Value = Value.UNKNOWN
    note: str = ""
    source: str = ""
    version: str = ""
    since: str = ""
    before: str = ""

    def __post_init__(self) -> None:
        """Check that what is claimed has a source.

        Raises
        ------
        ValueError
            If an answer has no source, or a source no version.

        """
        if self.value is not Value.UNKNOWN and not self.source:
            raise ValueError(f"{self.feature}: {self.value} needs a source")
        if bool(self.source) != bool(self.version):
            raise ValueError(f"{self.feature}: a source needs the version that it speaks of")

    def holds(self, version: str) -> bool:
        """Return whether the claim is about this version; an unknown one may be any."""
        number = numbers_of(version)
        if not number:
            return True
        if self.since and number < numbers_of(self.since):
            return False
        return not self.before or number < numbers_of(self.before)

    @property
    def span(self) -> str:
        """The versions that the claim is about, in words; empty for all."""
        words = (
            f"from {self.since} on" if self.since else "",
            f"before {self.before}" if self.before else "",
        )
        return " ".join(word for word in words if word)


_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)")


def version_of(image: str) -> str:
    """Return the version that the tag of an image begins with; empty if it tells none.

    >>> version_of("quay.io/calico/node:v3.26.1"), version_of("cilium/cilium:latest")
    ('3.26.1', '')
    """
    name = image.partition("@")[0].rpartition("/")[2]
    found = _VERSION.match(name.partition(":")[2])
    return found.group(1) if found else ""


def numbers_of(version: str) -> tuple[int, ...]:
    """Return the numbers of the version, for comparison; empty if there are none.

    >>> numbers_of("1.9") < numbers_of("1.16.2")
    True
    """
    return tuple(int(part) for part in version.split(".") if part.isdecimal())

"""The AWS VPC CNI with its network policy agent and controller."""

from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profile import Profile

_GUIDE: Final = "Amazon EKS User Guide, Limit Pod traffic with Kubernetes network policies"
_AGENT: Final = "aws/aws-network-policy-agent README.md"
_CONTROLLER: Final = "aws/amazon-network-policy-controller-k8s pkg/resolvers/endpoints.go"
_READ: Final = "2024"

PROFILE: Final = Profile(
    "aws-vpc-cni",
    "AWS VPC CNI",
    (
        Claim(
            Feature.ENFORCES,
            Value.NO,
            "network policies came with 1.14",
            _GUIDE,
            "1.13",
            before="1.14",
        ),
        Claim(
            Feature.ENFORCES,
            Value.PARTLY,
            "only where the agent runs with enable-network-policy=true",
            f"{_GUIDE}; {_AGENT}",
            "1.14",
            since="1.14",
        ),
        Claim(
            Feature.OPT_IN,
            Value.YES,
            "enable-network-policy is false by default",
            f"{_AGENT}; Amazon VPC CNI network policy FAQ",
            "1.14",
        ),
        Claim(
            Feature.LINUX_ONLY,
            Value.YES,
            "EC2 Linux nodes; neither Fargate nor Windows",
            _GUIDE,
            _READ,
        ),
        Claim(
            Feature.NAMED_PORTS_INGRESS,
            Value.PARTLY,
            "a peer that does not itself declare a port of that name is not admitted",
            "aws/amazon-network-policy-controller-k8s issue 81",
            _READ,
        ),
        Claim(Feature.NAMED_PORTS_EGRESS, Value.YES, "", _CONTROLLER, _READ),
        Claim(Feature.END_PORT, Value.YES, "", _CONTROLLER, _READ),
        Claim(Feature.EGRESS, Value.YES, "", _CONTROLLER, _READ),
        Claim(Feature.IP_BLOCK, Value.YES, "", _CONTROLLER, _READ),
        Claim(
            Feature.EXCEPT,
            Value.PARTLY,
            "where another rule names the excepted block with ports, other ports of it were open"
            " too",
            "aws/aws-network-policy-agent issue 180",
            _READ,
        ),
        Claim(
            Feature.IP_BLOCK_PODS,
            Value.YES,
            "addresses are looked up in a trie of prefixes",
            _AGENT,
            _READ,
        ),
        Claim(
            Feature.IP_BLOCK_NODES,
            Value.YES,
            "addresses are looked up in a trie of prefixes",
            _AGENT,
            _READ,
        ),
        Claim(
            Feature.DUAL_STACK,
            Value.NO,
            "rules of the family that the cluster does not use are ignored",
            _GUIDE,
            _READ,
        ),
        Claim(
            Feature.HOST_NETWORK,
            Value.NO,
            "they have no interface of their own to filter at",
            "aws/amazon-network-policy-controller-k8s pull request 206",
            "2026",
        ),
        Claim(
            Feature.FROM_OWN_NODE,
            Value.YES,
            "",
            "aws/aws-network-policy-agent issue 56, pull request 65",
            "2023",
        ),
        Claim(
            Feature.TO_OWN_NODE,
            Value.YES,
            "",
            "aws/aws-network-policy-agent pull request 65",
            "2023",
        ),
        Claim(
            Feature.AFTER_DNAT,
            Value.NO,
            "the controller adds the ClusterIPs of the Services whose selector a peer's matches;"
            " a Service's port must be the container's",
            f"{_CONTROLLER}; {_GUIDE}; aws/amazon-vpc-cni-k8s issue 3181",
            "2025",
        ),
        Claim(
            Feature.RULE_LIMITS,
            Value.YES,
            "24 combinations of port and protocol at most",
            _GUIDE,
            _READ,
        ),
        Claim(
            Feature.BARE_PODS,
            Value.NO,
            "a pod without metadata.ownerReferences is left open",
            _GUIDE,
            _READ,
        ),
    ),
)

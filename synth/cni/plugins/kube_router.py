"""kube-router."""

from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profile import Profile

_CODE: Final = "cloudnativelabs/kube-router pkg/controllers/netpol/policy.go"
_READ: Final = "main, 2025"

PROFILE: Final = Profile(
    "kube-router",
    "kube-router",
    (
        Claim(Feature.ENFORCES, Value.YES, "", _CODE, _READ),
        Claim(Feature.SELECTORS, Value.YES, "", _CODE, _READ),
        Claim(
            Feature.NAMED_PORTS_INGRESS,
            Value.YES,
            "",
            "cloudnativelabs/kube-router issue 338, pull request 679",
            "2019",
        ),
        Claim(
            Feature.NAMED_PORTS_EGRESS,
            Value.PARTLY,
            "a rule without peers takes the numbers that pods of the policy's own namespace give"
            " to the name, and admits them at every destination",
            _CODE,
            _READ,
        ),
        Claim(
            Feature.END_PORT,
            Value.YES,
            "",
            "cloudnativelabs/kube-router pull request 1080",
            "2021",
        ),
        Claim(
            Feature.SCTP,
            Value.UNKNOWN,
            "the request for it is still open, though the code hands the protocol on",
            "cloudnativelabs/kube-router issue 1019",
            "2023",
        ),
        Claim(Feature.EGRESS, Value.YES, "", _CODE, _READ),
        Claim(
            Feature.IP_BLOCK,
            Value.YES,
            "",
            "kubernetes-sigs/kubespray pull request 3535",
            "0.2.1",
            since="0.2.1",
        ),
        Claim(
            Feature.EXCEPT,
            Value.YES,
            "",
            "cloudnativelabs/kube-router issue 326; kubernetes-sigs/kubespray pull request 3535",
            "0.2.1",
            since="0.2.1",
        ),
        Claim(Feature.IP_BLOCK_PODS, Value.YES, "sets of addresses are compared", _CODE, _READ),
        Claim(Feature.IP_BLOCK_NODES, Value.YES, "sets of addresses are compared", _CODE, _READ),
        Claim(
            Feature.DUAL_STACK,
            Value.NO,
            "an IPv6 ipBlock stops the update of every policy on the node",
            "cloudnativelabs/kube-router issue 1245",
            "1.4.0",
            before="2.0",
        ),
        Claim(
            Feature.DUAL_STACK,
            Value.YES,
            "",
            "cloudnativelabs/kube-router pull requests 1386, 1428",
            "2.0.0-rc1",
            since="2.0",
        ),
        Claim(
            Feature.HOST_NETWORK,
            Value.NO,
            "",
            "cloudnativelabs/kube-router pull request 1073;"
            " pkg/controllers/netpol/utils.go (isNetPolActionable)",
            "2021",
        ),
        Claim(
            Feature.FROM_OWN_NODE,
            Value.YES,
            "",
            "cloudnativelabs/kube-router pull request 195",
            "2017",
        ),
    ),
)

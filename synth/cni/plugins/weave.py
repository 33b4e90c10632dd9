"""Weave Net, whose last release is of 2021."""

from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profile import Profile

_CODE: Final = "weaveworks/weave npc/analyser.go"
_READ: Final = "2.8"

PROFILE: Final = Profile(
    "weave-net",
    "Weave Net",
    (
        Claim(Feature.ENFORCES, Value.YES, "", _CODE, _READ),
        *(
            Claim(
                feature,
                Value.NO,
                "the whole policy is refused, and 2.6.0 was reported to crash",
                f"weaveworks/weave issues 3032, 3785, pull request 3375; {_CODE}",
                _READ,
            )
            for feature in (Feature.NAMED_PORTS_INGRESS, Feature.NAMED_PORTS_EGRESS)
        ),
        Claim(Feature.END_PORT, Value.NO, "only the first port is matched", _CODE, _READ),
        Claim(Feature.EGRESS, Value.YES, "", f"weaveworks/weave issue 2624; {_CODE}", _READ),
        Claim(
            Feature.IP_BLOCK,
            Value.YES,
            "",
            "jpetazzo/container.training pull request 424; weaveworks/weave npc/ipblock.go",
            "2.5",
            since="2.5",
        ),
        Claim(Feature.EXCEPT, Value.YES, "", "weaveworks/weave npc/ipblock.go", _READ),
        Claim(
            Feature.IP_BLOCK_PODS,
            Value.YES,
            "addresses are compared",
            "weaveworks/weave npc/ipblock.go",
            _READ,
        ),
        Claim(
            Feature.IP_BLOCK_NODES,
            Value.YES,
            "addresses are compared",
            "weaveworks/weave npc/ipblock.go",
            _READ,
        ),
        Claim(
            Feature.TO_OWN_NODE,
            Value.YES,
            "",
            "weaveworks/weave issue 3924",
            "2.8.1",
        ),
    ),
)

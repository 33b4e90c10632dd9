"""Antrea."""

from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profile import Profile

_CODE: Final = "antrea-io/antrea pkg/controller/networkpolicy/networkpolicy_controller.go"
_READ: Final = "1.x"

PROFILE: Final = Profile(
    "antrea",
    "Antrea",
    (
        Claim(Feature.ENFORCES, Value.YES, "", _CODE, _READ),
        *(
            Claim(feature, Value.YES, "", _CODE, _READ, since="1.0")
            for feature in (Feature.NAMED_PORTS_INGRESS, Feature.NAMED_PORTS_EGRESS)
        ),
        Claim(
            Feature.END_PORT,
            Value.NO,
            "",
            "antrea-io/antrea issue 1638",
            "1.0",
            before="1.1",
        ),
        Claim(
            Feature.END_PORT,
            Value.YES,
            "",
            "antrea-io/antrea pull requests 2190, 2216",
            "1.1",
            since="1.1",
        ),
        Claim(Feature.EGRESS, Value.YES, "", _CODE, _READ),
        Claim(Feature.IP_BLOCK, Value.YES, "", _CODE, _READ),
        Claim(
            Feature.EXCEPT,
            Value.YES,
            "",
            f"antrea-io/antrea pull request 252; {_CODE}",
            "0.2.0",
            since="0.2",
        ),
        Claim(
            Feature.HOST_NETWORK,
            Value.NO,
            "",
            "antrea-io/antrea pull requests 2093, 3080",
            "2021",
        ),
        Claim(
            Feature.FROM_OWN_NODE,
            Value.YES,
            "",
            "antrea-io/antrea pull request 252",
            "0.2.0",
            since="0.2",
        ),
        Claim(
            Feature.HAIRPIN,
            Value.YES,
            "where AntreaProxy is on",
            "antrea-io/antrea pull requests 5687, 5705",
            "1.15, and patches of 1.12 to 1.14",
        ),
    ),
)

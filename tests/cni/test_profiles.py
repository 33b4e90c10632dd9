"""Every claim says where it is from; what nobody found out is unknown."""

import pytest

from synth.cni.claims import QUESTIONS, Claim, Feature, Value, numbers_of, version_of
from synth.cni.marks import MARKS
from synth.cni.profile import Profile
from synth.cni.profiles import BY_NAME, PROFILES

CLAIMS = [(one.name, claim) for one in PROFILES for claim in one.claims]


@pytest.mark.parametrize(
    ("name", "claim"), CLAIMS, ids=lambda one: str(getattr(one, "feature", one))
)
def test_a_claim_has_a_source_and_its_version(name: str, claim: Claim) -> None:
    assert name in BY_NAME
    if claim.value is not Value.UNKNOWN:
        assert claim.source
        assert claim.version
    assert "://" not in claim.source, "a source is named, not linked"


def test_a_claim_without_a_source_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="needs a source"):
        Claim(Feature.SCTP, Value.YES)
    with pytest.raises(ValueError, match="version"):
        Claim(Feature.SCTP, Value.UNKNOWN, "", "somewhere")


def test_what_nobody_claims_is_unknown() -> None:
    claim = BY_NAME["romana"].claim(Feature.SCTP)
    assert (claim.value, claim.source) == (Value.UNKNOWN, "")
    listed = {one.feature for one in BY_NAME["romana"].all_claims()}
    assert listed == set(Feature)


def test_every_feature_has_its_question() -> None:
    assert set(QUESTIONS) == set(Feature)


def test_no_two_claims_of_a_feature_hold_for_one_version() -> None:
    for profile in PROFILES:
        for feature in Feature:
            held = [one for one in profile.claims if one.feature is feature]
            for version in ("0.1", "1.0", "1.13.9", "1.14", "1.15.9", "1.16", "2.0", "9.9"):
                assert sum(one.holds(version) for one in held) <= 1, (profile.name, feature)


def test_every_profile_can_be_recognised() -> None:
    assert {one.name for one in MARKS} | {"canal"} == set(BY_NAME)


def test_the_version_decides() -> None:
    cilium = BY_NAME["cilium"]
    assert cilium.claim(Feature.END_PORT, "1.15.9").value is Value.NO
    assert cilium.claim(Feature.END_PORT, "1.16.0").value is Value.YES
    both = cilium.claim(Feature.END_PORT)
    assert both.value is Value.PARTLY
    assert "before 1.16" in both.note
    assert "from 1.16 on" in both.note
    assert "28684" in both.source
    assert "32807" in both.source


def test_claims_that_agree_need_no_version() -> None:
    assert BY_NAME["cilium"].claim(Feature.IP_BLOCK_NODES).value is Value.NO


def test_before_the_first_known_version_nothing_is_known() -> None:
    one = Claim(Feature.EXCEPT, Value.YES, "", "somewhere", "2", since="2.0")
    profile = Profile("x", "X", (one,))
    assert profile.claim(Feature.EXCEPT, "1.9").value is Value.UNKNOWN
    assert profile.claim(Feature.EXCEPT, "2.0.1") is one


def test_facts_that_the_design_rests_on() -> None:
    def value(name: str, feature: Feature) -> Value:
        return BY_NAME[name].claim(feature).value

    assert value("flannel", Feature.ENFORCES) is Value.NO
    assert value("weave-net", Feature.NAMED_PORTS_INGRESS) is Value.NO
    assert value("weave-net", Feature.EXCEPT) is Value.YES
    assert value("cilium", Feature.IP_BLOCK_PODS) is Value.NO
    assert value("cilium", Feature.IP_BLOCK_NODES) is Value.NO
    assert value("aws-vpc-cni", Feature.AFTER_DNAT) is Value.NO
    assert value("aws-vpc-cni", Feature.DUAL_STACK) is Value.NO
    assert value("aws-vpc-cni", Feature.OPT_IN) is Value.YES
    assert value("ovn-kubernetes", Feature.NAMED_PORTS_EGRESS) is Value.NO


def test_canal_judges_as_calico() -> None:
    assert BY_NAME["canal"].claims == BY_NAME["calico"].claims


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("quay.io/cilium/cilium:v1.15.6@sha256:abcd", "1.15.6"),
        ("registry:5000/calico/node", ""),
        ("registry:5000/calico/node:3.26", "3.26"),
        ("x/amazon-k8s-cni:v1.15.3-eksbuild.1", "1.15.3"),
        ("x/y@sha256:1.2", ""),
        ("kindest/kindnetd:v20240813-c6f155d6", ""),
        ("x/y:latest", ""),
        ("", ""),
    ],
)
def test_the_version_is_in_the_tag(image: str, version: str) -> None:
    assert version_of(image) == version


def test_versions_compare_as_numbers() -> None:
    assert numbers_of("1.9") < numbers_of("1.10.0")
    assert numbers_of("") == ()

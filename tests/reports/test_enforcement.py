"""How loud a report is about what the cluster would not enforce."""

from dataclasses import replace

from synth.cni.claims import Claim, Feature, Value
from synth.cni.enforcement import Chosen, Enforcement
from synth.cni.profiles import BY_NAME
from synth.cni.recognise import Recognised
from synth.cni.shortfall import Place, Shortfall
from synth.policy import Direction
from synth.reports.enforcement import (
    MOST_SHORTFALLS,
    loud_sections,
    plain_enforcement,
    quiet_sections,
    warnings_about,
)
from synth.reports.page import Page, Prose, Tone
from synth.reports.text import to_text

CLAIM = Claim(Feature.END_PORT, Value.NO, "only the first port is matched", "x/y issue 1", "1.15")
CILIUM = Recognised(BY_NAME["cilium"], "1.15.6", "DaemonSet cilium")


def short(count: int) -> tuple[Shortfall, ...]:
    return tuple(
        Shortfall(Place("shop/db", Direction.INGRESS, one), "the range TCP 80-90", CLAIM)
        for one in range(count)
    )


def test_nothing_is_known_and_nobody_is_bothered() -> None:
    assert loud_sections(Enforcement()) == ()
    assert warnings_about(Enforcement()) == ()
    (one,) = quiet_sections(Enforcement())
    assert all(isinstance(block, Prose) and block.tone is Tone.QUIET for block in one.blocks)


def test_all_as_written_is_quiet() -> None:
    assert loud_sections(Enforcement(CILIUM)) == ()
    assert warnings_about(Enforcement(CILIUM)) == ()
    told = to_text(Page("", quiet_sections(Enforcement(CILIUM))))
    assert "Cilium 1.15.6, recognised by DaemonSet cilium." in told


def test_no_enforcement_is_the_loudest() -> None:
    flannel = Enforcement(Recognised(BY_NAME["flannel"], "0.25.5", "DaemonSet kube-flannel-ds"))
    (one,) = loud_sections(flannel)
    assert one.title == "NOT ENFORCED"
    (block,) = one.blocks
    assert isinstance(block, Prose)
    assert block.tone is Tone.BAD
    assert "flannel 0.25.5 enforces no NetworkPolicy" in block.text
    (warning,) = warnings_about(flannel)
    assert warning.startswith("NOT ENFORCED: ")


def test_a_setting_of_the_cluster_is_the_reason() -> None:
    off = Claim(
        Feature.ENFORCES, Value.NO, "it is switched off", "ConfigMap cilium-config", "this cluster"
    )
    (one,) = warnings_about(Enforcement(replace(CILIUM, switches=(off,))))
    assert "it is switched off" in one
    assert "ConfigMap cilium-config" in one


def test_shortfalls_are_listed_with_their_sources_once() -> None:
    told = to_text(Page("", loud_sections(Enforcement(CILIUM, short(2)))), width=100)
    assert "What Cilium 1.15.6 would not enforce as written" in told
    assert "shop/db ingress[0]: the range TCP 80-90 is not enforced: only the first" in told
    assert told.count("x/y issue 1 (1.15)") == 1


def test_many_shortfalls_are_cut_where_people_read_them() -> None:
    many = Enforcement(CILIUM, short(MOST_SHORTFALLS + 3))
    assert "3 more places" in to_text(Page("", loud_sections(many)))
    warnings = warnings_about(many)
    assert len(warnings) == MOST_SHORTFALLS + 1
    assert "3 more places" in warnings[-1]
    listed = plain_enforcement(many)["warnings"]
    assert isinstance(listed, list)
    assert len(listed) == MOST_SHORTFALLS + 3


def test_json_says_where_what_why_and_whence() -> None:
    chosen = (Chosen("ip-block-pods", "no", CLAIM),)
    found = plain_enforcement(Enforcement(CILIUM, short(1), (Feature.SCTP,), chosen))
    assert found == {
        "name": "cilium",
        "version": "1.15.6",
        "recognised_by": "DaemonSet cilium",
        "others": [],
        "enforces": "yes",
        "choices": [{"choice": "ip-block-pods", "value": "no", "source": "x/y issue 1 (1.15)"}],
        "unknown": ["sctp"],
        "warnings": [
            {
                "policy": "shop/db",
                "direction": "Ingress",
                "rule": 0,
                "feature": "end-port",
                "what": "the range TCP 80-90",
                "why": "is not enforced: only the first port is matched",
                "source": "x/y issue 1 (1.15)",
            }
        ],
    }


def test_what_is_not_known_of_the_plugin_is_printed() -> None:
    told = to_text(Page("", quiet_sections(Enforcement(CILIUM, (), (Feature.SCTP,)))))
    assert "Used by these policies, and not known of it: sctp." in told


def test_several_plugins_ask_for_a_name() -> None:
    several = Enforcement(Recognised(others=("calico", "cilium")))
    (one,) = loud_sections(several)
    assert "calico, cilium" in to_text(Page("", (one,)))
    assert quiet_sections(several) == ()
    assert len(warnings_about(several)) == 1

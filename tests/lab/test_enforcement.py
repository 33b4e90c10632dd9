"""Policies enforced on real servers: every real connection ends as the evaluator says.

Three parts share no code: ``translate.py`` turns policies into nftables, agents in network
namespaces open real connections, and synth reads the same YAML and judges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
import yaml

from datasets.recorder import network
from tests.conformance.case import Probe
from tests.conformance.judged import judged
from tests.lab import translate
from tests.lab.able import check_able
from tests.lab.wall import Wall, build_wall
from tests.lab.world import HERE, read_case

pytestmark = [pytest.mark.lab, pytest.mark.slow]

PREFIX: Final = "synthwall"
SETS: Final = {path.stem: path.read_text() for path in sorted((HERE / "policies").glob("*.yaml"))}
TOLD: Final = re.compile(r"^# ((?:allowed|denied) .*)$", re.MULTILINE)

Key = tuple[str, str, str, int]


@pytest.fixture(scope="module")
def wall() -> Iterator[Wall]:
    check_able()
    with build_wall(PREFIX, read_case("")) as built:
        yield built
    assert not network.list_namespaces(PREFIX)


@cache
def probes() -> tuple[Probe, ...]:
    """Return everything that is tried: nobody listens on the nodes."""
    case = read_case("")
    return tuple(probe for probe in case.probes() if probe.server.name not in case.nodes)


@cache
def evaluated(name: str) -> dict[Key, str]:
    """Return the evaluator's verdicts under the set of policies."""
    with TemporaryDirectory() as folder:
        return {key(probe): word for probe, word in judged(read_case(SETS[name]), Path(folder))}


def key(probe: Probe) -> Key:
    return probe.client.name, probe.server.name, probe.protocol, probe.port


def show(probe: Key) -> str:
    client, server, protocol, port = probe
    return f"{client} > {server} {protocol} {port}"


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all(SETS[name]))


def try_set(wall: Wall, name: str, chosen: Sequence[Probe], end: str = "reject") -> dict[Key, str]:
    """Return what real connections say while the policies are enforced."""
    wall.enforce(documents(name), end)
    try:
        found = wall.try_all(chosen, 0.6 if end == "drop" else 2.0)
    finally:
        wall.lift()
    return {key(probe): outcome for probe, outcome in zip(chosen, found, strict=True)}


def compare(found: dict[Key, str], expected: dict[Key, str]) -> list[str]:
    """Return what differs, in words."""
    return [
        f"{show(probe)}: {outcome} for real, {expected[probe]} by the evaluator"
        for probe, outcome in found.items()
        if outcome != expected[probe]
    ]


def test_where_nothing_is_enforced_everybody_answers(wall: Wall) -> None:
    outcomes = wall.try_all(probes())
    wrong = [
        str(one) for one, outcome in zip(probes(), outcomes, strict=True) if outcome != "allowed"
    ]
    assert not wrong
    assert len(wrong) < len(outcomes)


@pytest.mark.parametrize("name", SETS)
def test_real_connections_end_as_the_evaluator_says(wall: Wall, name: str) -> None:
    found = try_set(wall, name, probes())
    assert not compare(found, evaluated(name))
    for verdict in ("allowed", "denied"):
        assert sum(one == verdict for one in found.values()) > 0.1 * len(found)
    told = TOLD.findall(SETS[name])
    assert {text.partition(" ")[0] for text in told} == {"allowed", "denied"}
    assert set(told) <= {f"{outcome} {show(probe)}" for probe, outcome in found.items()}


def test_dropping_instead_of_rejecting_ends_the_same(wall: Wall) -> None:
    chosen = [one for one in probes() if (one.protocol, one.port) in {("TCP", 5000), ("UDP", 53)}]
    found = try_set(wall, "union", chosen, end="drop")
    assert "denied" not in found.values()  # nobody says no
    said = {probe: outcome.replace("silent", "denied") for probe, outcome in found.items()}
    assert not compare(said, evaluated("union"))


def test_nothing_is_enforced_when_all_is_lifted(wall: Wall) -> None:
    try_set(wall, "deny-ingress", probes()[:10])
    chosen = probes()[::7]
    assert set(wall.try_all(chosen)) == {"allowed"}


# --- mistakes of the translator must show -----------------------------------------------------


def take_default_types(spec: translate.Object) -> list[str]:
    return [one.lower() for one in spec.get("policyTypes") or ["Ingress"]]


def isolate_by_empty_egress(spec: translate.Object) -> list[str]:
    default = ["Ingress", "Egress"] if "egress" in spec else ["Ingress"]
    return [one.lower() for one in spec.get("policyTypes") or default]


def want_the_key(right: Callable[..., bool]) -> Callable[..., bool]:
    return lambda term, labels: (
        right(term, labels) and (term["operator"] != "NotIn" or term["key"] in labels)
    )


def take_empty_for_missing(right: Callable[..., bool]) -> Callable[..., bool]:
    return lambda term, labels: right(term, {one: text for one, text in labels.items() if text})


def forget_except(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda block, field: right({"cidr": block["cidr"]}, field)


def forget_end_port(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(rule: translate.Object, *more: object) -> Any:  # noqa: ANN401
        ports = [
            {**one, "endPort": one["port"]} if "endPort" in one else one
            for one in rule.get("ports") or ()
        ]
        return right({**rule, "ports": ports}, *more)

    return wrong


def resolve_at_the_client(_: object) -> Callable[..., Any]:
    return lambda pod, _direction, _cluster: (pod,)


def ignore_the_protocol_of_names(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda name, _protocol, called: [
        match for protocol in ("TCP", "UDP") for match in right(name, protocol, list(called))
    ]


def take_one_selector(right: Callable[..., Any]) -> Callable[..., Any]:
    """Read a peer with both selectors as two peers."""
    return lambda peer, *more: [pod for part in peer for pod in right({part: peer[part]}, *more)]


def stay_in_the_namespace(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda peer, *more: right({"podSelector": peer.get("podSelector")}, *more)


def take_empty_peers_for_nobody(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda rule, policy, direction, cluster: (
        () if [] in (rule.get("from"), rule.get("to")) else right(rule, policy, direction, cluster)
    )


def take_the_first_policy(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda policies, *more: right(policies[:1], *more)


def refuse_replies(right: Callable[..., list[str]]) -> Callable[..., list[str]]:
    return lambda *told: [line for line in right(*told) if "established" not in line]


def forget_ingress(right: Callable[..., list[str]]) -> Callable[..., list[str]]:
    return lambda *told: [line for line in right(*told) if "jump ingress" not in line]


BUGS: Final[tuple[tuple[str, str, Callable[[Any], Any]], ...]] = (
    ("egress-without-types", "list_directions", lambda _: take_default_types),
    ("empty-egress", "list_directions", lambda _: isolate_by_empty_egress),
    ("expressions", "fits_term", want_the_key),
    ("expressions", "fits_term", take_empty_for_missing),
    ("ip-block", "match_block", forget_except),
    ("end-port", "match_ports", forget_end_port),
    ("named-port-egress", "list_called", resolve_at_the_client),
    ("named-port", "match_named", ignore_the_protocol_of_names),
    ("both-or-either", "list_pods", take_one_selector),
    ("namespaces", "list_pods", stay_in_the_namespace),
    ("empty-lists", "match_peers", take_empty_peers_for_nobody),
    ("union", "translate", take_the_first_policy),
    ("three-tier", "translate", forget_ingress),
)


@pytest.mark.parametrize(("name", "function", "seed"), BUGS)
def test_a_wrong_translation_is_noticed(
    wall: Wall,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    function: str,
    seed: Callable[[Any], Any],
) -> None:
    monkeypatch.setattr(translate, function, seed(getattr(translate, function)))
    assert compare(try_set(wall, name, probes()), evaluated(name))


def test_refused_replies_are_noticed(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few probes only: each waits for its time-out, twice."""
    monkeypatch.setattr(translate, "translate", refuse_replies(translate.translate))
    assert compare(try_set(wall, "deny-egress", probes()[::61]), evaluated("deny-egress"))


def test_pods_that_policies_skip_are_not_taken_for_others(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pod that has ended still shows the address that batch has now."""
    monkeypatch.setattr(translate.Pod, "subject_to_policies", True)
    assert any(
        "batch" in line for line in compare(try_set(wall, "union", probes()), evaluated("union"))
    )


# --- nothing stays behind ---------------------------------------------------------------------


def test_an_exception_leaves_nothing() -> None:
    check_able()

    def break_off() -> None:
        with build_wall("synthwreck", read_case("")) as built:
            assert network.list_namespaces("synthwreck")
            assert all(agent.poll() is None for agent in built.agents.values())
            started.extend(built.agents.values())
            raise RuntimeError("as it happens")

    started: list[Any] = []
    with pytest.raises(RuntimeError, match="as it happens"):
        break_off()
    assert started
    assert all(agent.poll() is not None for agent in started)
    assert not network.list_namespaces("synthwreck")

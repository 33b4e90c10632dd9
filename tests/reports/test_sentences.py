from synth.learner.model import RuleEvidence, Subject
from synth.policy import (
    AddressPeer,
    IpBlock,
    Operator,
    PodPeer,
    PortSet,
    Protocol,
    Requirement,
    Rule,
    Selector,
)
from synth.policy.address import parse_network
from synth.reports.sentences import Names, subject_sentences
from tests.reports import sample

NAMES = Names.of([sample.WEB, sample.API, sample.CLIENT])


def namespaces(*names: str) -> Selector:
    return Selector.of([Requirement("kubernetes.io/metadata.name", Operator.IN, names)])


def test_peers_are_named_by_their_roles() -> None:
    assert NAMES.peers(sample.peer("api"), "shop") == ("shop/api",)
    assert NAMES.peers(sample.peer("client", "users"), "shop") == ("users/client",)


def test_a_selector_of_no_role_stays_as_written() -> None:
    assert NAMES.peers(sample.peer("db"), "shop") == ("pods role=db",)
    assert NAMES.peers(sample.peer("api"), "other") == ("pods role=api",)


def test_a_peer_of_several_namespaces_is_a_role_only_where_all_are() -> None:
    both = PodPeer(Selector.equal({"role": "api"}), namespaces("shop", "users"))
    assert NAMES.peers(both, "shop") == (str(both),)


def test_namespaces_by_other_labels_stay_as_written() -> None:
    some = PodPeer(Selector.equal({"role": "api"}), Selector.equal({"env": "prod"}))
    assert NAMES.peers(some, "shop") == (str(some),)


def test_rules_in_words() -> None:
    assert NAMES.rule(Rule(), "shop") == "everyone on every port"
    block = AddressPeer(IpBlock.parse("203.0.113.0/24"))
    peers = (sample.peer("web"), sample.peer("api"), block)
    assert NAMES.rule(Rule(peers, PortSet.every()), "shop") == (
        "shop/api, shop/web or 203.0.113.0/24 on every port"
    )


def test_a_subject_without_rules_says_so() -> None:
    silent = sample.learned().subjects[0]
    assert subject_sentences(type(silent)(sample.DB, sample.OUT, ()), NAMES) == ("opens nothing",)


def test_a_rule_that_admits_more_than_was_seen_says_so() -> None:
    def told(evidence: RuleEvidence) -> str:
        names = Names.of([sample.WEB], [parse_network("10.0.1.0/24")])
        (found,) = subject_sentences(Subject(sample.DB, sample.IN, (evidence,)), names)
        return found

    nodes, web = sample.FROM_NODES, Rule((sample.peer("web"),), PortSet.port(Protocol.TCP, 80))
    assert told(RuleEvidence(nodes, widened=1_253)) == (
        "accepts nodes 10.0.1.0/24 on TCP 9100 (admits 1,253 addresses never seen)"
    )
    assert told(RuleEvidence(nodes, widened=1)).endswith("(admits 1 address never seen)")
    assert told(RuleEvidence(nodes)) == "accepts nodes 10.0.1.0/24 on TCP 9100"
    assert told(RuleEvidence(web, widened=2)).endswith("(admits 2 connections never seen)")
    assert told(RuleEvidence(nodes, declared="dns", widened=9)).endswith("(declared: dns)")

"""Reach between parties, against what connectivity says of each pair of their members."""

from itertools import product
from random import Random

from synth.evaluator.connectivity import Connectivity, connect
from synth.evaluator.outside import EVERYWHERE
from synth.evaluator.reach import (
    End,
    Member,
    Party,
    Question,
    Reach,
    find_reach,
    find_standing,
)
from synth.policy import Direction, Policy, PolicySet, PortSet, Protocol, Rule
from tests.evaluator.cluster import NAMESPACES, labelled, one_sided, pod, ports
from tests.evaluator.test_connectivity import Case

WORLD = End(spans=EVERYWHERE)
PROBES = tuple(product(Protocol, (1, 53, 79, 80, 81, 443, 3868, 8000, 8080, 8081, 65535)))


def whole(*parties: Party, outside: bool = False) -> Question:
    numbers = tuple(range(len(parties)))
    places = (WORLD,) if outside else ()
    return Question(parties, numbers, numbers, places, places)


def family(address: str) -> int:
    return 6 if ":" in address else 4


def parties_of(case: Case, seed: int) -> tuple[Party, ...]:
    """Return the pods thrown together; a dual-stack pod stays in one piece."""
    rng = Random(seed)  # noqa: S311 - to be repeatable
    members: dict[str, list[Member]] = {}
    party_of: dict[str, str] = {}
    for number, one in enumerate(case.pods):
        name = f"{one.namespace}/{one.name}"
        party = party_of.setdefault(name, f"party-{rng.randrange(4)}")
        members.setdefault(party, []).append(Member(number, (family(one.address),), name))
    return tuple(Party(name, tuple(own)) for name, own in sorted(members.items()))


def asked(reach: tuple[Reach, ...], source: End, destination: End, *, some: bool) -> list[PortSet]:
    return [
        one.ports
        for one in reach
        if one.some is some and one.source == source and destination in one.destinations
    ]


def pair_sets(found: Connectivity, one: Party, other: Party) -> list[PortSet]:
    return [
        found.ports(a.number, b.number)
        for a in one.members
        for b in other.members
        if a.families == b.families and a.pod != b.pod
    ]


def test_parties_reach_what_all_and_what_some_of_their_pods_reach() -> None:
    partial = 0
    for seed in range(16):
        case = Case.of(seed)
        parties = parties_of(case, seed)
        reach = find_reach(case.found, whole(*parties))
        for one, other in product(parties, parties):
            sets = pair_sets(case.found, one, other)
            every = asked(reach, End(one.name), End(other.name), some=False)
            some = asked(reach, End(one.name), End(other.name), some=True)
            assert max(len(every), len(some)) <= 1
            for probe in PROBES:
                answers = [one.contains(*probe) for one in sets]
                assert any(one.contains(*probe) for one in every) is (
                    bool(answers) and all(answers)
                )
                assert any(one.contains(*probe) for one in some) is (
                    any(answers) and not all(answers)
                )
            partial += len(some)
    assert partial > 30


def test_addresses_reach_what_all_and_what_some_pods_admit() -> None:
    told = 0
    for seed in range(0, 16, 2):
        case = Case.of(seed)
        parties = parties_of(case, seed)
        reach = find_reach(case.found, whole(*parties, outside=True))
        for at, piece in enumerate(case.found.outside, len(case.pods)):
            place = sum(piece.span) // 2
            for party in parties:
                own = [one.number for one in party.members if piece.family in one.families]
                into = [case.found.ports(at, number) for number in own]
                out = [case.found.ports(number, at) for number in own]
                for leaving, sets in ((False, into), (True, out)):
                    for probe in PROBES:
                        answers = [one.contains(*probe) for one in sets]
                        expected = [False] if answers and all(answers) else []
                        if any(answers) and not all(answers):
                            expected = [True]
                        rows = rows_at(reach, party.name, place, leaving=leaving)
                        found = [one.some for one in rows if one.ports.contains(*probe)]
                        assert found == expected, (seed, party.name, piece, probe)
                        told += len(found)
    assert told > 5_000


def rows_at(reach: tuple[Reach, ...], name: str, place: int, *, leaving: bool) -> list[Reach]:
    found = []
    for one in reach:
        for end in one.destinations:
            inside, outside = (one.source, end) if leaving else (end, one.source)
            at = any(low <= place <= high for low, high in outside.spans)
            found += [one] if inside.name == name and at else []
    return found


def one_class(*policies: Policy) -> Connectivity:
    return connect(PolicySet.of(policies), [pod(app="a")], NAMESPACES)


def test_a_single_pod_is_not_listed_with_itself() -> None:
    party = Party("shop/a", (Member(0, (4,), "a-1"),))
    assert find_reach(one_class(), whole(party)) == ()
    dual = Party("shop/a", (Member(0, (4,), "a-1"), Member(0, (6,), "a-1")))
    assert find_reach(one_class(), whole(dual)) == ()


def test_two_pods_and_templates_are_listed_with_themselves() -> None:
    itself = (Reach(End("shop/a"), (End("shop/a"),), PortSet.every()),)
    two = Party("shop/a", (Member(0, (4,), "a-1"), Member(0, (4,), "a-2")))
    assert find_reach(one_class(), whole(two)) == itself
    template = Party("shop/a", (Member(0, (4, 6)),))
    assert find_reach(one_class(), whole(template)) == itself
    closed = one_sided(Direction.INGRESS, Rule((), ports("TCP 80")))
    (only,) = find_reach(one_class(closed), whole(two))
    assert only.ports == ports("TCP 80")


def test_ends_of_different_families_never_meet() -> None:
    four = Party("shop/four", (Member(0, (4,), "x"),))
    six = Party("shop/six", (Member(0, (6,), "y"),))
    reach = find_reach(one_class(), whole(four, six, outside=True))
    assert all(one.source.spans or one.destinations[0].spans for one in reach)
    spans = {one.destinations[0].spans for one in reach if one.source.name == "shop/six"}
    assert all(low >= 1 << 32 for own in spans for low, _ in own)


def test_ports_open_at_fewer_addresses_do_not_cut_those_open_at_all() -> None:
    wide, narrow = Rule((), ports("TCP 443")), Rule((), ports("TCP 5432"))
    from tests.evaluator.cluster import block

    policy = one_sided(Direction.EGRESS, wide, Rule((block("203.0.113.5/32"),), narrow.ports))
    party = Party("shop/a", (Member(0, (4,), "a-1"),))
    reach = find_reach(one_class(policy), whole(party, outside=True))
    leaving = [one for one in reach if one.source.name]
    told = {str(one.ports): one.destinations[0].spans for one in leaving}
    assert told["TCP 443"] == ((0, (1 << 32) - 1),)
    assert len(told) == 2
    ((low, high),) = told["TCP 5432"]
    assert low == high


def test_standing_names_what_only_some_pods_have() -> None:
    policy = one_sided(Direction.INGRESS, pods=labelled(app="a"))
    found = connect(PolicySet.of([policy]), [pod(app="a"), pod(app="b")], NAMESPACES)
    members = (Member(0, (4,), "1"), Member(1, (4,), "2"))
    parties = (
        Party("both", members),
        Party("first", members[:1]),
        Party("last", members[1:]),
    )
    standing = find_standing(found, parties)
    assert [one.ingress for one in standing] == ["some", "all", "none"]
    assert {one.egress for one in standing} == {"none"}

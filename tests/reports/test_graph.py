from dataclasses import replace

from synth.learner.model import Learned, RuleEvidence, Subject
from synth.reports.graph import MOST_BOXES, draw
from synth.reports.layers import Lane, layers_of
from tests.reports import sample


def learned(*calls: tuple[str, str]) -> Learned:
    subjects = tuple(
        Subject(
            sample.role("shop", server),
            sample.IN,
            (RuleEvidence(sample.rule(sample.peer(client), 80)),),
        )
        for client, server in calls
    )
    names = sorted({name for call in calls for name in call})
    roles = tuple(sample.role("shop", name) for name in names)
    return replace(sample.learned(), subjects=subjects, roles=roles)


def test_layers_run_from_users_to_db() -> None:
    graph = draw(sample.learned())
    assert graph
    places = {box.name: box.x for box in graph.boxes}
    assert places["users/client"] < places["shop/web"] < places["shop/api"] < places["shop/db"]


def test_an_arrow_is_pending_if_either_end_waits() -> None:
    graph = draw(sample.learned())
    assert graph
    waits = {(arrow.client, arrow.server) for arrow in graph.arrows if arrow.pending}
    assert waits == {("shop/api", "shop/db")}
    labels = {arrow.client: arrow.label for arrow in graph.arrows if arrow.server == "shop/db"}
    assert labels == {"shop/api": "TCP 3306", "10.0.1.0/24": "TCP 9100"}


def test_who_is_no_subject_is_marked() -> None:
    graph = draw(sample.learned())
    assert graph
    assert {box.name for box in graph.boxes if not box.subject} == {
        "users/client",
        "0.0.0.0/0 except 10.244.0.0/16",
        "10.0.1.0/24",
    }


def test_circles_and_calls_to_oneself_are_drawn() -> None:
    graph = draw(learned(("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")))
    assert graph
    assert len(graph.arrows) == 4
    assert len({(box.x, box.y) for box in graph.boxes}) == 3


def test_everything_is_inside_the_picture() -> None:
    graph = draw(learned(("a", "b"), ("b", "c"), ("a", "c"), ("c", "a"), ("d", "c"), ("e", "e")))
    assert graph
    assert all(0 < box.x < graph.width and 0 < box.y < graph.height for box in graph.boxes)
    assert all(0 < arrow.x < graph.width and 0 < arrow.y < graph.height for arrow in graph.arrows)


def test_long_links_pass_through_lanes() -> None:
    layers, chains = layers_of({("a", "b"): False, ("b", "c"): False, ("a", "c"): True})
    lane = Lane("c", pending=True)
    assert chains["a", "c"] == ("a", lane, "c")
    assert lane in layers[1]


def test_nothing_or_too_much_is_not_drawn() -> None:
    assert draw(learned()) is None
    assert draw(learned(*((f"c{number}", "s") for number in range(MOST_BOXES)))) is None


def test_a_long_chain_is_laid_out() -> None:
    calls = [(f"n{number:02}", f"n{number + 1:02}") for number in range(MOST_BOXES - 1)]
    graph = draw(learned(*calls))
    assert graph
    assert len({box.x for box in graph.boxes}) == MOST_BOXES

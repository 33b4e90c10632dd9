"""Who may talk to whom as a picture: boxes in layers, clients to the left of their servers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from synth.learner.model import Learned, Subject
from synth.policy.model import Direction, Peer
from synth.reports.layers import Chain, Lane, Pair, Stop, layers_of
from synth.reports.page import clean
from synth.reports.sentences import Names, names_of

BOX_WIDTH, BOX_HEIGHT = 164, 40
GAP_ACROSS, GAP_DOWN = 112, 30
MARGIN = 20
LONGEST_NAME = 22
MOST_BOXES = 60
"""Beyond this a picture is a tangle and says nothing."""


@dataclass(frozen=True, slots=True)
class Box:
    """A role, or somebody who is no ``subject``; ``x`` and ``y`` are its upper left corner."""

    name: str
    label: str
    subject: bool
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """What a client may open; ``path`` is for SVG; the label stands at ``x``, ``y``."""

    client: str
    server: str
    label: str
    pending: bool
    path: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Graph:
    """A picture of ``width`` by ``height``."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Link:
    ports: tuple[str, ...] = ()
    pending: bool = False


Corners = Mapping[tuple[int, Stop], tuple[int, int]]
"""Layer and stop → its upper left corner."""


def draw(learned: Learned) -> Graph | None:
    """Return the picture of the learned rules; None if there is nothing or too much to draw."""
    links = _links(learned.subjects, names_of(learned))
    if not links or len({name for pair in links for name in pair}) > MOST_BOXES:
        return None
    layers, chains = layers_of({pair: link.pending for pair, link in links.items()})
    corners = _corners(layers)
    subjects = {str(subject.role) for subject in learned.subjects}
    boxes = tuple(
        Box(stop, _short(stop), stop in subjects, x, y)
        for (_, stop), (x, y) in corners.items()
        if not isinstance(stop, Lane)
    )
    level = {stop: across for across, stop in corners}
    arrows = tuple(
        _arrow(pair, link, level, chains.get(pair), corners) for pair, link in sorted(links.items())
    )
    below = 0 if len(chains) == len(links) else GAP_DOWN
    width = 2 * MARGIN + len(layers) * (BOX_WIDTH + GAP_ACROSS) - GAP_ACROSS
    height = 2 * MARGIN + max(map(len, layers)) * (BOX_HEIGHT + GAP_DOWN) - GAP_DOWN + below
    return Graph(boxes, arrows, width, height)


def _links(subjects: Iterable[Subject], names: Names) -> Mapping[Pair, _Link]:
    """Return client and server → what may be opened, by the rules of either side."""
    found: dict[Pair, _Link] = {}
    for subject in subjects:
        inward = subject.direction is Direction.INGRESS
        me = str(subject.role)
        for one in subject.rules:
            for peer in _peers(one.rule.peers, names, subject.role.namespace):
                pair = (peer, me) if inward else (me, peer)
                before = found.get(pair, _Link())
                ports = tuple(sorted({*before.ports, str(one.rule.ports)}))
                found[pair] = _Link(ports, before.pending or not subject.ready)
    return found


def _peers(peers: Sequence[Peer], names: Names, namespace: str) -> tuple[str, ...]:
    found = (name for peer in peers for name in names.peers(peer, namespace))
    return tuple(dict.fromkeys(found)) or ("everyone",)


def _corners(layers: Sequence[Sequence[Stop]]) -> dict[tuple[int, Stop], tuple[int, int]]:
    tallest = max(map(len, layers))
    step = BOX_HEIGHT + GAP_DOWN
    return {
        (across, stop): (
            MARGIN + across * (BOX_WIDTH + GAP_ACROSS),
            MARGIN + (tallest - len(stops)) * step // 2 + down * step,
        )
        for across, stops in enumerate(layers)
        for down, stop in enumerate(stops)
    }


def _short(name: str) -> str:
    plain = clean(name)
    return plain if len(plain) <= LONGEST_NAME else f"{plain[: LONGEST_NAME - 1]}…"


def _arrow(
    pair: Pair, link: _Link, level: Mapping[Stop, int], chain: Chain | None, corners: Corners
) -> Arrow:
    first = level[pair[0]]
    if chain:
        path, x, y = _forward([corners[first + step, stop] for step, stop in enumerate(chain)])
    else:
        path, x, y = _backward(corners[first, pair[0]], corners[level[pair[1]], pair[1]])
    return Arrow(*pair, _short(", ".join(link.ports)), link.pending, path, x, y)


def _forward(stops: Sequence[tuple[int, int]]) -> tuple[str, int, int]:
    """Return the curve from side to side of the stops, and where its label stands."""
    half = BOX_HEIGHT // 2
    path = ""
    for (x, y), (next_x, next_y) in pairwise(stops):
        start, middle = x + BOX_WIDTH, next_x - GAP_ACROSS // 2
        come = f"M{start} {y + half}" if not path else f" L{start} {y + half}"
        path += f"{come} C{middle} {y + half} {middle} {next_y + half} {next_x} {next_y + half}"
    (x, y), (_, next_y) = stops[:2]
    return path, x + BOX_WIDTH + GAP_ACROSS // 2, (y + next_y) // 2 + half


def _backward(client: tuple[int, int], server: tuple[int, int]) -> tuple[str, int, int]:
    """Return a curve below both, for a server that does not stand to the right."""
    x1, x2 = client[0] + BOX_WIDTH // 2 + 20, server[0] + BOX_WIDTH // 2 - 20
    y1, y2 = client[1] + BOX_HEIGHT, server[1] + BOX_HEIGHT
    low = max(y1, y2) + GAP_DOWN
    return f"M{x1} {y1} C{x1} {low} {x2} {low} {x2} {y2}", (x1 + x2) // 2, low - 4

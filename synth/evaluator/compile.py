"""Policies compiled against the endpoints of a ``Traffic``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.classes import Classes, Vocabulary, classify
from synth.evaluator.match import Matcher
from synth.evaluator.ports import PortClasses
from synth.evaluator.sides import Lists, PeerTable, Side, Tables, compile_side
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy.model import Direction, PolicySet

Namespaces = Mapping[str, Mapping[str, str]]
"""Namespace → labels; ``kubernetes.io/metadata.name`` need not be among them."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the API leaves open.

    ``ip_block_matches_pods``: whether an ``ipBlock`` holds the pods whose addresses it spans, as
    the upstream tests expect and most plugins do.
    """

    ip_block_matches_pods: bool = True


DEFAULT = Options()


@dataclass(frozen=True, slots=True)
class Compiled:
    """Policies compiled against the endpoints of a ``Traffic`` and the candidates of these.

    ``choices[i]`` numbers the concrete endpoints that endpoint i may be: itself, or its
    candidates. ``class_of`` and ``nodes`` tell of each concrete endpoint its class, and whether it
    is a node. ``sure`` and ``maybe`` are one object if nothing is unsure.
    """

    concrete: tuple[Endpoint, ...]
    choices: Lists
    class_of: NDArray[np.int32]
    nodes: NDArray[np.bool_]
    classes: Classes
    ports: PortClasses
    sides: Mapping[Direction, Side]
    sure: Tables
    maybe: Tables


def compile_policies(
    policies: PolicySet,
    endpoints: Sequence[Endpoint],
    namespaces: Namespaces,
    options: Options = DEFAULT,
) -> Compiled:
    """Return the policies, compiled against the endpoints.

    Raises
    ------
    ValueError
        If an endpoint is AMBIGUOUS but names no candidates, or an address is not one.

    """
    concrete, choices = _concrete(endpoints)
    classes, class_of = classify(concrete, Vocabulary.of(policies))
    matcher = Matcher.of(classes, namespaces, blocks_match_pods=options.ip_block_matches_pods)
    sets = dict.fromkeys(
        rule.ports
        for policy in policies
        for direction in Direction
        for rule in policy.rules(direction) or ()
    )
    rows = {ports: row for row, ports in enumerate(sets)}
    peers = PeerTable(matcher)
    sides = {one: compile_side(policies, one, peers, rows) for one in Direction}
    ports = PortClasses.of(list(sets), concrete)
    sure, maybe = (Tables(table, ports.table) for table in peers.tables())
    return Compiled(
        concrete=concrete,
        choices=choices,
        class_of=class_of,
        nodes=np.array([one.kind is Kind.NODE for one in concrete], np.bool_),
        classes=classes,
        ports=ports,
        sides=sides,
        sure=sure,
        maybe=sure if maybe.peers is sure.peers else maybe,
    )


def _concrete(endpoints: Sequence[Endpoint]) -> tuple[tuple[Endpoint, ...], Lists]:
    """Return the endpoints, then the candidates of ambiguous ones; and what each may be."""
    concrete = list(endpoints)
    choices: list[Sequence[int]] = []
    for number, endpoint in enumerate(endpoints):
        candidates = list(_candidates(endpoint))
        if endpoint.kind is Kind.AMBIGUOUS and not candidates:
            raise ValueError(f"ambiguous endpoint {endpoint.address} names no candidates")
        choices.append(range(len(concrete), len(concrete) + len(candidates)) or (number,))
        concrete += candidates
    return tuple(concrete), Lists.of(choices)


def _candidates(endpoint: Endpoint) -> Iterator[Endpoint]:
    for one in endpoint.candidates:
        yield from _candidates(one) if one.kind is Kind.AMBIGUOUS else (one,)

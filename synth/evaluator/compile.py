"""Policies compiled against the endpoints of a ``Traffic``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.classes import Classes, Vocabulary, classify
from synth.evaluator.mapped import are_mapped, read_as_ipv4
from synth.evaluator.match import Matcher
from synth.evaluator.options import DEFAULT, Options
from synth.evaluator.ports import PortClasses
from synth.evaluator.sides import Lists, PeerTable, Side, Tables, Terms, compile_side
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy.model import Direction, PolicySet

Namespaces = Mapping[str, Mapping[str, str]]
"""Namespace → labels; ``kubernetes.io/metadata.name`` need not be among them."""


_NOWHERE = Endpoint(Kind.SERVICE)


@dataclass(frozen=True, slots=True)
class Compiled:
    """Policies compiled against the endpoints of a ``Traffic`` and the candidates of these.

    ``choices[i]`` numbers the concrete endpoints that endpoint i may be: itself, or its
    candidates. ``class_of`` and ``nodes`` tell of each concrete endpoint its class, and whether it
    is a node. ``sure`` and ``maybe`` are one object if nothing is unsure.
    """

    options: Options
    concrete: tuple[Endpoint, ...]
    choices: Lists
    class_of: NDArray[np.int32]
    nodes: NDArray[np.bool_]
    classes: Classes
    ports: PortClasses
    sides: Mapping[Direction, Side]
    sure: Tables
    maybe: Tables

    @property
    def nowhere(self) -> int:
        """The concrete endpoint of no known address, where ``options.sees_services``."""
        return len(self.concrete) - 1


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
    concrete, choices = _concrete(endpoints, options)
    terms = Terms.of(policies)
    if options.ipv4_mapped == "ipv4" and any(map(are_mapped, terms.peers)):
        terms = Terms.of(read_as_ipv4(policies))
    vocabulary = Vocabulary.of_terms((policy.pods for policy in policies), terms.peers)
    classes, class_of = classify(concrete, vocabulary, options)
    matcher = Matcher.of(classes, namespaces, blocks_match_pods=options.ip_block_pods == "yes")
    peers = PeerTable(matcher, terms.peers)
    sides = {one: compile_side(one, terms.sides[one], peers) for one in Direction}
    ports = PortClasses.of(terms.ports, concrete, hidden=options.dnat == "before")
    sure_peers, maybe_peers = peers.tables()
    sure = Tables(sure_peers, ports.table)
    one = maybe_peers is sure_peers and options.dnat == "after"
    return Compiled(
        options=options,
        concrete=concrete,
        choices=choices,
        class_of=class_of,
        nodes=np.array([one.kind is Kind.NODE for one in concrete], np.bool_),
        classes=classes,
        ports=ports,
        sides=sides,
        sure=sure,
        maybe=sure if one else Tables(maybe_peers, ports.possible),
    )


def _concrete(
    endpoints: Sequence[Endpoint], options: Options
) -> tuple[tuple[Endpoint, ...], Lists]:
    """Return the endpoints, the candidates of some, perhaps nowhere; and what each may be."""
    concrete = list(endpoints)
    choices: list[Sequence[int]] = []
    for number, endpoint in enumerate(endpoints):
        if not endpoint.candidates and endpoint.kind is not Kind.AMBIGUOUS:
            choices.append((number,))
            continue
        found = list(_candidates(endpoint, options))
        if not found:
            raise ValueError(f"ambiguous endpoint {endpoint.address} names no candidates")
        single = found == [endpoint]
        choices.append((number,) if single else range(len(concrete), len(concrete) + len(found)))
        concrete += [] if single else found
    return (*concrete, *([_NOWHERE] if options.sees_services else [])), Lists.of(choices)


def _candidates(endpoint: Endpoint, options: Options) -> Iterator[Endpoint]:
    """Return an iterator over the endpoints, none of them ambiguous, that this one may be."""
    if endpoint.kind is Kind.AMBIGUOUS:
        for one in endpoint.candidates:
            yield from _candidates(one, options)
        return
    yield endpoint
    if endpoint.kind is Kind.NODE and options.host_network == "pod":
        yield from endpoint.candidates

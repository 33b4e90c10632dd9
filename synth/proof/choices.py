"""What depends on how a CNI reads what the API leaves open: edges with two verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.edges.schema import Edges
from synth.evaluator.options import Choice
from synth.evaluator.verdicts import Verdicts
from synth.policy.ports import Protocol
from synth.proof.replay import Verdict

_PROTOCOLS = {protocol.number: protocol.value for protocol in Protocol}
_VERDICTS = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Difference:
    """An edge whose verdict depends on a choice: ``verdicts`` maps each value to the verdict."""

    source: str
    destination: str
    protocol: str
    port: int
    records: int
    example: str
    verdicts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What depends on one choice, all others being as they are.

    ``chosen`` is the value in force. ``values`` maps each value to verdict → records. ``edges``
    are those with different verdicts, most records first.
    """

    choice: str
    chosen: str
    values: Mapping[str, Mapping[str, int]]
    edges: tuple[Difference, ...]

    @property
    def records(self) -> int:
        """The records whose verdict depends on the choice."""
        return sum(edge.records for edge in self.edges)


def compare(
    choice: Choice, chosen: str, edges: Edges, verdicts: Mapping[str, Verdicts]
) -> Comparison:
    """Return what depends on the choice; ``verdicts`` are those under each of its values."""
    numbers = {value: _numbered(found) for value, found in verdicts.items()}
    both = np.stack(list(numbers.values()))
    rows = np.flatnonzero((both != both[0]).any(axis=0))
    found = [_difference(edges, int(row), numbers) for row in rows]
    return Comparison(
        choice=choice.name,
        chosen=chosen,
        values={value: _counted(edges, one) for value, one in numbers.items()},
        edges=tuple(
            sorted(found, key=lambda one: (-one.records, one.source, one.destination, one.port))
        ),
    )


def _numbered(verdicts: Verdicts) -> NDArray[np.int8]:
    """Return int8[n]: the place of each row's verdict in ``Verdict``."""
    masks = [getattr(verdicts, verdict.value) for verdict in _VERDICTS]
    number: NDArray[np.int8] = np.stack(masks).argmax(axis=0).astype(np.int8)
    return number


def _counted(edges: Edges, number: NDArray[np.int8]) -> dict[str, int]:
    return {
        verdict.value: int(edges.records[number == place].sum())
        for place, verdict in enumerate(_VERDICTS)
    }


def _difference(edges: Edges, row: int, numbers: Mapping[str, NDArray[np.int8]]) -> Difference:
    file, line = edges.example_of(row)
    protocol = int(edges.protocol[row])
    return Difference(
        source=edges.endpoints[edges.client[row]].name,
        destination=edges.endpoints[edges.server[row]].name,
        protocol=_PROTOCOLS.get(protocol, str(protocol)),
        port=int(edges.port[row]),
        records=int(edges.records[row]),
        example=f"{file}:{line}",
        verdicts={value: _VERDICTS[number[row]].value for value, number in numbers.items()},
    )

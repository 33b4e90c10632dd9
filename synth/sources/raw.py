"""Records as a reader found them, before their meaning; and the batch that they become."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synth.buffers import make_numbers
from synth.flows import SCHEMA, FlowBatch, Microseconds, validate
from synth.ledger import Example
from synth.sources.columns import Numbers, no_numbers, to_numbers, to_times
from synth.sources.sieve import TEXT_KEPT, Sieve

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Raw:
    """Columns under the format's own field names, in any Arrow type; one row a record.

    ``rows``: int64[n], line or row of the file, from 1. ``sieve`` may have dropped rows that
    are no records of the format. ``text`` returns what the file held at the n-th record.
    """

    file: str
    source: str
    rows: npt.NDArray[np.int64]
    columns: Mapping[str, pa.Array]
    sieve: Sieve
    text: Callable[[int], str]

    @property
    def size(self) -> int:
        """The number of records."""
        return len(self.rows)

    def column(self, name: str) -> pa.Array:
        """Return the column; nulls if the file has none of this name."""
        return self.columns[name] if name in self.columns else pa.nulls(self.size)

    def numbers(self, name: str) -> Numbers:
        """Return the column as whole numbers."""
        return to_numbers(self.columns[name]) if name in self.columns else no_numbers(self.size)

    def times(self, name: str) -> Numbers:
        """Return the column as microseconds since 1970 (UTC)."""
        return to_times(self.columns[name]) if name in self.columns else no_numbers(self.size)

    def batch(
        self,
        table: Mapping[str, Any],
        early: int,
        late: int,
        *,
        interfaces: bool = False,
        opened: pa.RecordBatch | None = None,
    ) -> FlowBatch:
        """Return the canonical batch of these columns, which hold the kept rows only."""
        arrays = [_as_array(table[field.name], field.type) for field in SCHEMA]
        return validate(
            FlowBatch(
                self.file,
                self.source,
                pa.RecordBatch.from_arrays(arrays, schema=SCHEMA),
                self.sieve.ledger(self._example),
                Microseconds(early),
                Microseconds(late),
                interfaces,
                opened,
            )
        )

    def _example(self, row: int) -> Example:
        return Example(self.file, int(self.rows[row]), self.text(row)[:TEXT_KEPT])


def _as_array(values: Any, kind: pa.DataType) -> pa.Array:  # noqa: ANN401 - NumPy or Arrow
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    if isinstance(values, np.ndarray) and not pa.types.is_dictionary(kind):
        return make_numbers(values, kind)
    return pa.array(values, kind)

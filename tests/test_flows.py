"""The canonical schema: what a batch must be before anything counts it."""

from dataclasses import replace

import pyarrow as pa
import pytest

from synth.errors import InputError
from synth.flows import SCHEMA, FlowBatch, Initiator, Outcome, Rung, Vantage, validate
from synth.ledger import Ledger
from tests.edges.strategies import NOON, Line, batch


def refused(table: pa.RecordBatch) -> list[str]:
    with pytest.raises(InputError) as caught:
        validate(FlowBatch("a.log", "vpc-text", table))
    return [str(fault) for fault in caught.value.faults]


def with_column(name: str, values: pa.Array) -> pa.RecordBatch:
    table = batch([Line(), Line(row=2)]).table
    at = table.schema.get_field_index(name)
    fields = [field if field.name != name else field.with_type(values.type) for field in SCHEMA]
    columns = [values if number == at else one for number, one in enumerate(table.columns)]
    return pa.record_batch(
        columns, schema=pa.schema([one.with_nullable(nullable=True) for one in fields])
    )


def test_a_canonical_batch_is_returned_as_it_is() -> None:
    one = batch([Line(), Line(start=None, end=None, fwd=None)])

    assert validate(one) is one


def test_an_empty_batch_is_canonical() -> None:
    one = batch([])

    assert validate(one) is one
    assert one.records == 0


def test_a_batch_accounts_for_rows_and_skipped_records() -> None:
    assert batch([Line()] * 3, skipped=Ledger.of("no-data", 4)).records == 7


@pytest.mark.parametrize("name", SCHEMA.names)
def test_a_missing_column_is_named(name: str) -> None:
    table = batch([Line()]).table

    (fault,) = refused(table.drop_columns([name]))
    assert repr(name) in fault
    assert "no such column" in fault


@pytest.mark.parametrize("name", SCHEMA.names)
def test_a_column_of_another_type_is_named(name: str) -> None:
    (fault,) = refused(with_column(name, pa.array([1.5, 2.5])))

    assert repr(name) in fault
    assert "double" in fault


@pytest.mark.parametrize("field", [one for one in SCHEMA if not one.nullable], ids=lambda f: f.name)
def test_a_null_where_none_may_be_is_named(field: pa.Field) -> None:
    column = batch([Line(), Line()]).table.column(field.name)
    null = pa.array([None], column.type)
    column = pa.concat_arrays([column.slice(0, 1), null])

    (fault,) = refused(with_column(field.name, column))
    assert repr(field.name) in fault


def test_a_row_that_ends_before_it_starts_is_a_fault() -> None:
    line = Line(start=NOON, end=NOON)
    assert batch([line]).records == 1

    with pytest.raises(InputError, match="end after they start"):
        batch([line, replace(line, end=NOON - 1)])


def test_all_faults_are_told_together() -> None:
    table = batch([Line()]).table.drop_columns(["row", "dst"])

    assert len(refused(table)) == 2


def test_the_numbers_of_the_schema_are_fixed() -> None:
    # Stored edges hold them.
    assert [one.value for one in Initiator] == [0, 1, 2]
    assert [one.value for one in Rung] == list(range(9))
    assert [one.value for one in Outcome] == [0, 1, 2, 3]
    assert [one.value for one in Vantage] == [0, 1, 2]

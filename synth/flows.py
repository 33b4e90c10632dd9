"""The canonical flow schema: what every log format becomes, one row a record.

Orientation is *as observed*: ``src`` sent the packets that the record counts as forward. Who
opened the connection is a column of its own, so that later stages may revise it.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NewType

import pyarrow as pa
import pyarrow.compute as pc

from synth.errors import Fault, InputError
from synth.ledger import Ledger

Microseconds = NewType("Microseconds", int)

ADDRESS = pa.binary(16)
"""16 bytes in network order; an IPv4 address as its IPv4-mapped IPv6 address."""
CODED_ADDRESS = pa.dictionary(pa.int32(), ADDRESS)
CODED_TEXT = pa.dictionary(pa.int32(), pa.utf8())
TIME = pa.timestamp("us", tz="UTC")


class Initiator(IntEnum):
    """Who opened the connection, as far as the record itself tells."""

    UNKNOWN = 0
    SRC = 1
    DST = 2


class Rung(IntEnum):
    """The evidence ladder of direction; a lower number is better evidence, 0 is none."""

    NONE = 0
    FLAGS = 1
    """A SYN without ACK, or a SYN-ACK."""
    TUPLE = 2
    """A connection tracker's original tuple that was not picked up midway."""
    REPORTED = 3
    """The source states the direction."""
    PROVEN_SERVER = 4
    """The same endpoint and port was proven a server by rungs 1 to 3 elsewhere."""
    DECLARED = 5
    """A declared listener on exactly one side."""
    DEGREE = 6
    """One side fans in, the other's port is used once or twice."""
    EPHEMERAL = 7
    """One side's port in the ephemeral range, the other's not."""
    REGISTERED = 8
    """A registered port on exactly one side."""


class Outcome(IntEnum):
    """What became of the contact, as far as the record itself tells."""

    UNKNOWN = 0
    """The record cannot tell: one direction of a connection, or an opening without its end."""
    ANSWERED = 1
    """The other side took part: a completed handshake, or a reply."""
    FAILED = 2
    """Refused, or ended without an answer."""
    DENIED = 3
    """A filter other than a NetworkPolicy rejected it."""


class Vantage(IntEnum):
    """Where the record was made, relative to the record's own src and dst."""

    UNKNOWN = 0
    AT_SRC = 1
    AT_DST = 2


SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),  # line (text) or row (Parquet), from 1
        pa.field("start", TIME),  # null: any time within the capture
        pa.field("end", TIME),  # null with start
        pa.field("protocol", pa.uint8(), nullable=False),  # IANA number
        pa.field("src", CODED_ADDRESS, nullable=False),
        pa.field("dst", CODED_ADDRESS, nullable=False),  # after DNAT: who really answers
        pa.field("src_port", pa.uint16()),  # null: the protocol has no ports
        pa.field("dst_port", pa.uint16()),
        pa.field("asked", CODED_ADDRESS),  # before DNAT: the service asked for; null with its
        pa.field("asked_port", pa.uint16()),  # port where both are those of dst
        pa.field("seen_src", CODED_ADDRESS),  # after SNAT: whom dst saw; null: src itself
        pa.field("initiator", pa.uint8(), nullable=False),  # Initiator
        pa.field("rung", pa.uint8(), nullable=False),  # Rung that tells the initiator
        pa.field("outcome", pa.uint8(), nullable=False),  # Outcome
        pa.field("opening", pa.bool_(), nullable=False),  # the record shows a connection begin
        pa.field("bidirectional", pa.bool_(), nullable=False),  # it stands for both directions
        pa.field("observer", CODED_TEXT),  # node name, where known
        pa.field("vantage", pa.uint8(), nullable=False),  # Vantage
        pa.field("fwd_packets", pa.uint64()),  # null: not measured; 0: measured zero
        pa.field("fwd_bytes", pa.uint64()),
        pa.field("rev_packets", pa.uint64()),
        pa.field("rev_bytes", pa.uint64()),
    ]
)


@dataclass(frozen=True, slots=True)
class FlowBatch:
    """Records of one file in the canonical schema, and those that cannot be flows, by outcome.

    Only ``validate`` makes one. ``records`` of the file that the batch accounts for are the rows
    of ``table`` plus ``skipped.total``.
    """

    file: str
    source: str
    table: pa.RecordBatch
    skipped: Ledger = field(default_factory=Ledger)
    early: Microseconds = Microseconds(0)
    """How much earlier than ``start`` the packets may have been."""
    late: Microseconds = Microseconds(0)
    """How much later than ``end`` the packets may have been."""
    interfaces: bool = False
    """Whether addresses are those of interfaces, which hide the pods behind them."""
    opened: pa.RecordBatch | None = None
    """Columns ``first`` and ``last``, int64 microseconds, a row a record: when its connection was
    opened, at earliest and latest. None: at some time from ``start`` to ``end``."""

    @property
    def records(self) -> int:
        """The number of records that the batch accounts for."""
        return int(self.table.num_rows) + self.skipped.total


def validate(batch: FlowBatch) -> FlowBatch:
    """Return the batch, proven to be in the canonical schema.

    Raises
    ------
    InputError
        If a column is missing, of another type, or null where it may not be; or if a row ends
        before it starts. Readers skip such rows under a reason; one that does not is at fault.

    """
    faults = [*_schema_faults(batch)] or [*_value_faults(batch)]
    if faults:
        raise InputError(*faults)
    return batch


def _schema_faults(batch: FlowBatch) -> list[Fault]:
    found = batch.table.schema
    return [
        Fault(batch.file, f"column {want.name!r} of type {want.type}", _type_of(found, want.name))
        for want in SCHEMA
        if _type_of(found, want.name) != str(want.type)
    ]


def _type_of(schema: pa.Schema, name: str) -> str:
    return str(schema.field(name).type) if name in schema.names else "no such column"


def _value_faults(batch: FlowBatch) -> list[Fault]:
    table = batch.table
    faults = [
        Fault(batch.file, f"no null in column {want.name!r}", f"{nulls}")
        for want in SCHEMA
        if not want.nullable and (nulls := table.column(want.name).null_count)
    ]
    if batch.opened is not None and len(batch.opened) != len(table):
        got = f"{len(batch.opened)} for {len(table)} records"
        faults.append(Fault(batch.file, "as many times of opening as records", got))
    backwards = pc.sum(pc.less(table.column("end"), table.column("start"))).as_py()
    if backwards:
        faults.append(Fault(batch.file, "records that end after they start", f"{backwards}"))
    return faults

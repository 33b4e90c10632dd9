"""A record in the canonical schema, told in words."""

from collections.abc import Iterator

from synth.flows import FlowBatch, Initiator, Outcome, Vantage
from synth.policy.address import unpack_address
from synth.reports.figures import instant, number, protocol_name

OUTCOMES = {
    Outcome.UNKNOWN: "the record does not tell",
    Outcome.ANSWERED: "answered",
    Outcome.FAILED: "refused, or ended without an answer",
    Outcome.DENIED: "rejected by a filter",
}
INITIATORS = {
    Initiator.UNKNOWN: "the record does not tell",
    Initiator.SRC: "the sender",
    Initiator.DST: "the receiver",
}
_SIDES = {
    Vantage.UNKNOWN: "",
    Vantage.AT_SRC: ", at the sender",
    Vantage.AT_DST: ", at the receiver",
}


def words_of(batch: FlowBatch) -> tuple[tuple[str, str], ...]:
    """Return label and value of what the batch's one record says."""
    (record,) = batch.table.drop_columns(["start", "end"]).to_pylist()
    record |= {name: _micros(batch, name) for name in ("start", "end")}
    return tuple(_words(record))


def _micros(batch: FlowBatch, name: str) -> int | None:
    value: int | None = batch.table.column(name).cast("int64")[0].as_py()
    return value


def _words(record: dict[str, object]) -> Iterator[tuple[str, str]]:
    yield "time", _time(record["start"], record["end"])
    yield "protocol", protocol_name(_number(record["protocol"]))
    yield "sender", _socket(record, "src")
    yield "receiver", _socket(record, "dst")
    if record["asked"] is not None:
        yield "asked for", _socket(record, "asked")
    if record["seen_src"] is not None:
        yield "receiver saw", _address(record["seen_src"])
    yield "opened by", INITIATORS[Initiator(_number(record["initiator"]))]
    yield "outcome", OUTCOMES[Outcome(_number(record["outcome"]))]
    side = _SIDES[Vantage(_number(record["vantage"]))]
    if record["observer"] or side:
        yield "recorded by", f"{record['observer'] or 'nobody named'}{side}"
    for way, told in (("fwd", "sent"), ("rev", "received")):
        packets, octets = record[f"{way}_packets"], record[f"{way}_bytes"]
        if packets is not None or octets is not None:
            yield told, f"{_count(packets)} packets, {_count(octets)} bytes"


def _time(start: object, end: object) -> str:
    if start is None:
        return "none: any time of the capture"
    first = instant(_number(start))
    return first if end in (None, start) else f"{first} to {instant(_number(end))}"


def _socket(record: dict[str, object], name: str) -> str:
    port = record[f"{name}_port"]
    return _address(record[name]) + ("" if port is None else f" port {port}")


def _address(value: object) -> str:
    return str(unpack_address(value)) if isinstance(value, bytes) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _count(value: object) -> str:
    return number(value) if isinstance(value, int) else "unknown"

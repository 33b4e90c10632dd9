"""What a conntrack entry or event means, however it was stored.

The original tuple is what the client sent; the reply tuple is what the server sends back. So the
real server is the reply's source, and the two tuples together tell NAT:

============  ==========================  ======================================
column        of the tuples               null where
============  ==========================  ======================================
src           original source             never
dst           reply source                never
asked         original destination        it is dst, port included (no DNAT)
seen_src      reply destination           it is src (no SNAT)
============  ==========================  ======================================

A connection that was already open when it was first seen may have its tuples reversed: its
entries, and all later ones of the same tuple and id in the unit, tell no initiator.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synth.errors import Fault, InputError
from synth.flows import CODED_TEXT, TIME, FlowBatch, Initiator, Outcome, Rung, Vantage
from synth.sources import judge
from synth.sources.addresses import NULL, Addresses, code_addresses
from synth.sources.columns import NULLS, Codes, Numbers, encode, text_of, to_codes, to_flags
from synth.sources.names import fields_of, shown, spellings, squeeze
from synth.sources.pickup import Pickups, mix
from synth.sources.raw import Raw

Bools = npt.NDArray[np.bool_]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "ts": ("timestamp", "time", "event-time", "captured-at"),
    "event": ("ct-event", "event-type", "type"),
    "node": ("node-name", "host", "hostname", "observer"),
    "proto": ("protocol", "l4proto", "orig-ip-protocol"),
    "orig_src": ("src", "original-src", "orig-ip-saddr-str"),
    "orig_dst": ("dst", "original-dst", "orig-ip-daddr-str"),
    "orig_sport": ("sport", "original-sport", "orig-l4-sport"),
    "orig_dport": ("dport", "original-dport", "orig-l4-dport"),
    "reply_src": ("rsrc", "reply-ip-saddr-str"),
    "reply_dst": ("rdst", "reply-ip-daddr-str"),
    "reply_sport": ("rsport", "reply-l4-sport"),
    "reply_dport": ("rdport", "reply-l4-dport"),
    "orig_packets": ("original-packets", "packets"),
    "orig_bytes": ("original-bytes", "bytes"),
    "reply_packets": ("rpackets",),
    "reply_bytes": ("rbytes",),
    "tcp_state": ("state",),
    "unreplied": (),
    "assured": (),
    "offload": (),
    "ct_id": ("id", "conntrack-id"),
    "delta_time": (),
    "start": ("start-time",),
    "stop": ("stop-time", "end"),
    "orig_raw_pktcount": (),
    "orig_raw_pktlen": (),
    "reply_raw_pktcount": (),
    "reply_raw_pktlen": (),
    "flow_start_sec": (),
    "flow_start_usec": (),
    "flow_end_sec": (),
    "flow_end_usec": (),
}
"""Field → other names of it; spelling (hyphen, underscore, dot, capitals) does not matter."""
SPELLINGS = {
    **spellings(FIELDS),
    "origipsaddr": "orig_src_number",
    "origipdaddr": "orig_dst_number",
    "replyipsaddr": "reply_src_number",
    "replyipdaddr": "reply_dst_number",
}
WANTED = ("ts", "event", "node", "tcp_state", "unreplied", "assured", "ct_id")
ADDRESSES = ("orig_src", "orig_dst", "reply_src", "reply_dst")
PORTS = ("orig_sport", "orig_dport", "reply_sport", "reply_dport")
COUNTERS = ("orig_packets", "orig_bytes", "reply_packets", "reply_bytes")
_ULOGD_COUNTERS = dict(
    zip(
        COUNTERS,
        ("orig_raw_pktcount", "orig_raw_pktlen", "reply_raw_pktcount", "reply_raw_pktlen"),
        strict=True,
    )
)
NEEDED = ("proto", *ADDRESSES, *PORTS)

NEW, UPDATE, DESTROY, DUMP = 1, 2, 3, 4
EVENTS = {
    "NEW": NEW,
    "UPDATE": UPDATE,
    "DESTROY": DESTROY,
    "DUMP": DUMP,
    "[NEW]": NEW,  # conntrack's text
    "[UPDATE]": UPDATE,
    "[DESTROY]": DESTROY,
    "1": NEW,  # ulogd writes the kernel's numbers
    "2": UPDATE,
    "4": DESTROY,
}
_SYN_SENT, _ESTABLISHED, _CLOSE, _LATER, _OTHER = 1, 2, 3, 4, 9
_STATES = {
    "SYN_SENT": _SYN_SENT,
    "ESTABLISHED": _ESTABLISHED,
    "CLOSE": _CLOSE,
    "FIN_WAIT": _LATER,
    "CLOSE_WAIT": _LATER,
    "LAST_ACK": _LATER,
    "TIME_WAIT": _LATER,
}
_GENERAL = frozenset({"src", "dst", "sport", "dport", "originalsrc", "originaldst"})
_TELLING = frozenset(
    name
    for name, field in SPELLINGS.items()
    if field.removesuffix("_number") in (*ADDRESSES, *PORTS) and name not in _GENERAL
)
_ENOUGH = 3
_SECOND = 1_000_000
_SLACK = _SECOND

# How old a connection may be of which something is told late, in seconds.
_LAG = 60
"""Expired entries are swept about once a minute, and ends that vanished are called as long."""
_IDLE = 120
"""An entry without traffic expires after this; one of ``delta-time`` tells its age at that time."""
_OLDEST = 10**9


def map_fields(path: str, names: Iterable[str]) -> dict[str, str]:
    """Return field → the file's name of it.

    Raises
    ------
    InputError
        If a field that every record needs is missing, or is there twice.

    """
    listed = list(names)
    fields = fields_of(path, listed, SPELLINGS)
    for name in ADDRESSES:  # text beside a number: ulogd writes both when it is asked for text
        number = fields.pop(f"{name}_number", None)
        if number is not None:
            fields.setdefault(name, number)
    missing = [name for name in NEEDED if name not in fields]
    if missing:
        got = shown(listed)
        raise InputError(
            *(Fault(path, f"a column {name!r} of conntrack entries", got) for name in missing)
        )
    return fields


def is_layout(names: Iterable[str]) -> bool:
    """Return whether the names are those of conntrack entries, perhaps incomplete ones."""
    return len(_TELLING & {squeeze(name) for name in names}) >= _ENOUGH


def interpret(raw: Raw, pickups: Pickups) -> FlowBatch:
    """Return the records in the canonical schema; those that cannot be flows, by outcome."""
    addresses = code_addresses([raw.column(name) for name in ADDRESSES])
    ports = [raw.numbers(name) for name in PORTS]
    counters = [_counter(raw, name) for name in COUNTERS]
    protocol = raw.numbers("proto")
    start, end, has_start = _times(raw)
    sieve = raw.sieve
    judge.drop_bad_protocols(sieve, protocol)
    judge.drop_bad_addresses(sieve, addresses.columns)
    judge.drop_no_semantics(sieve, protocol)
    judge.drop_bad_ports(sieve, ports)
    judge.drop_bad_counts(sieve, counters)
    judge.drop_bad_times(sieve, start, end)
    judge.drop_no_peers(sieve, addresses, addresses.columns)
    event, state = _events(raw), to_codes(raw.column("tcp_state"), _STATES, _OTHER)
    replied, assured = _replied(raw, counters[2]), _assured(raw)
    is_tcp = protocol.values == judge.TCP
    picked = (state == _ESTABLISHED) & (replied == 0)
    picked |= is_tcp & (event == NEW) & (state != 0) & (state != _SYN_SENT)
    kept = raw.sieve.kept
    reversible = pickups.mark(
        lambda: _keys(addresses, ports, protocol, raw.numbers("ct_id")),
        kept,
        picked,
        fresh=is_tcp & (event == NEW) & (state == _SYN_SENT),
        ended=event == DESTROY,
    )
    outcome = _outcome(is_tcp, event, state, replied, assured)
    told = ~reversible[kept]
    size = len(told)
    table = {
        "row": raw.rows[kept],
        "start": start.array(pa.int64(), kept).cast(TIME),
        "end": end.array(pa.int64(), kept).cast(TIME),
        "protocol": protocol.values[kept].astype(np.uint8),
        **_ends(addresses, ports, kept),
        "initiator": told * np.uint8(Initiator.SRC),
        "rung": told * np.uint8(Rung.TUPLE),
        "outcome": outcome[kept],
        "opening": (event == NEW)[kept],
        "bidirectional": np.ones(size, bool),
        "observer": _observer(raw, kept),
        "vantage": np.full(size, Vantage.UNKNOWN, np.uint8),
        "fwd_packets": counters[0].array(pa.uint64(), kept),
        "fwd_bytes": counters[1].array(pa.uint64(), kept),
        "rev_packets": counters[2].array(pa.uint64(), kept),
        "rev_bytes": counters[3].array(pa.uint64(), kept),
    }
    slack = 0 if start.null[kept].all() else _SLACK
    ending = is_tcp & ((state == _LATER) | ((state == _CLOSE) & (assured == 1)))
    late = (event != NEW) & ((event != UPDATE) | ending) & (outcome != Outcome.FAILED)
    late &= ~(has_start | start.null)
    opened = _opened(raw, start, (event, late, has_start), kept) if slack else None
    return raw.batch(table, early=slack, late=slack, opened=opened)


def _ends(addresses: Addresses, ports: list[Numbers], kept: Bools) -> dict[str, pa.Array]:
    client, asked, server, seen = addresses.columns
    redirected = (asked != server) | (ports[1].values != ports[2].values)
    asked_port = Numbers(ports[1].values, ports[1].null | ~redirected, ports[1].bad)
    return {
        "src": addresses.array(client, kept),
        "dst": addresses.array(server, kept),
        "src_port": ports[0].array(pa.uint16(), kept),
        "dst_port": ports[2].array(pa.uint16(), kept),
        "asked": addresses.array(np.where(redirected, asked, np.int32(NULL)), kept),
        "asked_port": asked_port.array(pa.uint16(), kept),
        "seen_src": addresses.array(np.where(seen == client, np.int32(NULL), seen), kept),
    }


def _outcome(
    is_tcp: Bools, event: Codes, state: Codes, replied: Codes, assured: Codes
) -> npt.NDArray[np.uint8]:
    outcome = np.zeros(len(event), np.uint8)
    outcome[~is_tcp & (replied == 1)] = Outcome.ANSWERED
    settled = (assured == 1) | (state == _ESTABLISHED) | (state == _LATER)
    ended = (event == DESTROY) & ((replied == 0) | (state == _SYN_SENT))
    failed = is_tcp & (ended | ((state == _CLOSE) & (assured == 0)))
    outcome[failed] = Outcome.FAILED
    outcome[is_tcp & (replied == 1) & settled] = Outcome.ANSWERED
    return outcome


def _events(raw: Raw) -> Codes:
    return to_codes(raw.column("event"), EVENTS, _OTHER)


def _replied(raw: Raw, reply_packets: Numbers) -> Codes:
    """int16[n]: 1 for answered, 0 for not, -1 for not known."""
    if "unreplied" in raw.columns:
        unreplied = to_flags(raw.columns["unreplied"])
        return np.where(unreplied < 0, unreplied, 1 - unreplied)
    return np.where(reply_packets.values > 0, np.int16(1), np.int16(-1))


def _assured(raw: Raw) -> Codes:
    """int16[n]: 1 for assured (or offloaded, as only the assured are), 0 for not, -1 not known."""
    assured, offload = to_flags(raw.column("assured")), to_flags(raw.column("offload"))
    return np.where(offload == 1, offload, assured)


def _counter(raw: Raw, name: str) -> Numbers:
    """Return the counter; from ulogd, where 0 may mean that nothing was counted, without zeros."""
    if name in raw.columns:
        return raw.numbers(name)
    return _without_zeros(raw.numbers(_ULOGD_COUNTERS[name]))


def _without_zeros(numbers: Numbers) -> Numbers:
    return Numbers(numbers.values, numbers.null | (numbers.values == 0), numbers.bad)


def _times(raw: Raw) -> tuple[Numbers, Numbers, Bools]:
    """Return start and end: as they are given, otherwise the time of the event.

    And bool[n]: whether the start is given.
    """
    moment = raw.times("ts")
    given = _first(raw.times("start"), _ulogd_time(raw, "flow_start"))
    start = _first(given, moment)
    stop = _first(raw.times("stop"), _ulogd_time(raw, "flow_end"))
    late = np.maximum(moment.values, start.values)
    return start, _first(stop, Numbers(late, start.null, moment.bad)), ~given.null


def _opened(
    raw: Raw, start: Numbers, rows: tuple[Codes, Bools, Bools], kept: Bools
) -> pa.RecordBatch | None:
    """Return when each kept record's connection was opened; None where records tell it.

    ``rows`` are the events, which of them come late, and which tell the connection's start.
    """
    event, late, has_start = rows
    if not (late | has_start)[kept].any():
        return None
    delta = raw.numbers("delta_time")
    aged = late & ~delta.null & ~delta.bad
    idle = np.where(event == UPDATE, 0, _IDLE)
    lag = np.where(late, _LAG + np.where(aged, 0, idle), 0)
    last = start.values - np.where(aged, np.clip(delta.values, 0, _OLDEST), 0) * _SECOND
    columns = (last - lag * _SECOND, last)
    arrays = [Numbers(one, start.null, start.bad).array(pa.int64(), kept) for one in columns]
    return pa.RecordBatch.from_arrays(arrays, ["first", "last"])


def _ulogd_time(raw: Raw, name: str) -> Numbers:
    seconds, micros = _without_zeros(raw.times(f"{name}_sec")), raw.numbers(f"{name}_usec")
    return Numbers(seconds.values + micros.values, seconds.null, seconds.bad | micros.bad)


def _first(*choices: Numbers) -> Numbers:
    """Return the first of the choices that is not null."""
    values, null, bad = choices[0].values, choices[0].null, choices[0].bad
    for other in choices[1:]:
        values = np.where(null, other.values, values)
        bad = bad | (null & other.bad)
        null = null & other.null
    return Numbers(values, null, bad)


def _observer(raw: Raw, kept: Bools) -> pa.Array:
    """Return dictionary<int32, text>, the node that made the record; null where not known."""
    if "node" not in raw.columns:
        return pa.nulls(int(kept.sum()), CODED_TEXT)
    rows, words = encode(raw.columns["node"])
    texts = [text_of(word) for word in words]
    names = sorted({text for text in texts if text.lower() not in NULLS})
    numbers = {name: at for at, name in enumerate(names)}
    codes = np.array([*(numbers.get(text, -1) for text in texts), -1], np.int32)[rows][kept]
    indices = pa.array(codes, pa.int32(), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.utf8()))


def _keys(
    addresses: Addresses, ports: list[Numbers], protocol: Numbers, ids: Numbers
) -> npt.NDArray[np.uint64]:
    """uint64[n]: original tuple and id."""
    halves = np.frombuffer(b"".join(addresses.values.to_pylist()), "<u8").reshape(-1, 2)
    distinct = mix(halves[:, 0], halves[:, 1])
    if not len(distinct):
        return np.zeros(len(ids.values), np.uint64)
    src, dst = (distinct[addresses.columns[side]] for side in (0, 1))
    return mix(src, dst, ports[0].values, ports[1].values, protocol.values, ids.values)

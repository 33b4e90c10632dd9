"""What a VPC flow log record means, however it was stored.

Addresses are those of the packet (``pkt-*``) where the log has them: ``srcaddr`` and ``dstaddr``
show the interface's own address in place of the pod's. ``start`` and ``end`` may lag the packets
by up to 60 s. A record is one direction of a connection, within one window, at one interface.

``tcp-flags``, or-ed over the window; ACK is recorded only beside SYN:

=================  =====================  ========================
2, 3, 6, 7         SYN, no ACK            src opened the connection
18, 19, 22, 23     SYN and ACK            dst opened it, src answered
0, 1, 4, 5, null   anything else          not known
=================  =====================  ========================
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synth.errors import Fault, InputError
from synth.flows import (
    CODED_ADDRESS,
    CODED_TEXT,
    TIME,
    FlowBatch,
    Initiator,
    Outcome,
    Rung,
    Vantage,
)
from synth.sources import judge
from synth.sources import sieve as fate
from synth.sources.addresses import NULL, Addresses, code_addresses, is_complete
from synth.sources.columns import Numbers, to_codes
from synth.sources.names import fields_of, shown, spellings, squeeze
from synth.sources.raw import Raw

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "srcaddr": ("source-address", "src-ip"),
    "dstaddr": ("destination-address", "dst-ip", "dest-addr"),
    "srcport": ("source-port",),
    "dstport": ("destination-port", "dest-port"),
    "protocol": ("proto",),
    "pkt-srcaddr": ("packet-srcaddr",),
    "pkt-dstaddr": ("packet-dstaddr",),
    "packets": (),
    "bytes": (),
    "start": ("start-time",),
    "end": ("end-time",),
    "action": (),
    "log-status": (),
    "tcp-flags": (),
    "flow-direction": (),
}
"""Field → other names of it; spelling (hyphen, underscore, capitals) does not matter."""
SPELLINGS = spellings(FIELDS)
_INTERFACE, _PACKET = ("srcaddr", "dstaddr"), ("pkt-srcaddr", "pkt-dstaddr")
ADDRESSES = (*_INTERFACE, *_PACKET)
WANTED = (
    "pkt-srcaddr",
    "pkt-dstaddr",
    "tcp-flags",
    "flow-direction",
    "action",
    "log-status",
    "start",
    "end",
)
_TELLING = frozenset(
    squeeze(name)
    for name in (*FIELDS, "version", "account-id", "interface-id", "vpc-id", "subnet-id")
)
_OWN = frozenset(squeeze(name) for name in ADDRESSES)
_ENOUGH = 4

_SYN, _RST, _ACK = 2, 4, 16
_OK, _NODATA, _SKIPDATA = 1, 2, 3
_ACCEPT, _REJECT = 1, 2
_EGRESS, _INGRESS = 1, 2
_OTHER = 9
_EARLY = 60_000_000
_LARGEST_FLAGS = 65_535
_HEADERS = 60
"""Bytes of an IPv6 and a TCP header without options; a reset carries none."""


def is_layout(names: Iterable[str]) -> bool:
    """Return whether the names are those of a VPC flow log, perhaps an incomplete one."""
    squeezed = {squeeze(name) for name in names}
    return bool(squeezed & _OWN) and len(squeezed & _TELLING) >= _ENOUGH


def map_fields(path: str, names: Iterable[str]) -> dict[str, str]:
    """Return field → the file's name of it.

    Raises
    ------
    InputError
        If a field that every record needs is missing, or is there twice.

    """
    listed = list(names)
    fields = fields_of(path, listed, SPELLINGS)
    needed = [name for name in ("srcport", "dstport", "protocol") if name not in fields]
    needed += [
        f"{side} or pkt-{side}"
        for side in ("srcaddr", "dstaddr")
        if side not in fields and f"pkt-{side}" not in fields
    ]
    if needed:
        got = shown(listed)
        raise InputError(
            *(Fault(path, f"a field {name!r} of VPC flow logs", got) for name in needed)
        )
    return fields


def found_in(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names; fields that are known, as VPC flow logs spell them."""
    return tuple(SPELLINGS.get(squeeze(name), name) for name in names)


def interpret(raw: Raw) -> FlowBatch:
    """Return the records in the canonical schema; those that cannot be flows, by outcome."""
    addresses, src, dst = _ends(raw)
    protocol, ports = raw.numbers("protocol"), [raw.numbers("srcport"), raw.numbers("dstport")]
    start, end = _window(raw)
    packets, size = raw.numbers("packets"), raw.numbers("bytes")
    flags = raw.numbers("tcp-flags")
    action = to_codes(raw.column("action"), {"ACCEPT": _ACCEPT, "REJECT": _REJECT}, _OTHER)
    sieve = raw.sieve
    _drop_gaps(raw)
    judge.drop_bad_protocols(sieve, protocol)
    judge.drop_bad_addresses(sieve, [src, dst])
    judge.drop_no_semantics(sieve, protocol)
    judge.drop_bad_ports(sieve, ports)
    judge.drop_bad_counts(sieve, [packets, size])
    judge.drop_bad_times(sieve, start, end)
    sieve.drop(f"{fate.MALFORMED}bad tcp-flags", flags.outside(0, _LARGEST_FLAGS))
    sieve.drop(f"{fate.MALFORMED}unknown action", action == _OTHER)
    judge.drop_no_peers(sieve, addresses, [src, dst])
    rows = sieve.rows
    meaning = _meaning(flags, action, _is_bare(packets, size), protocol.values == judge.TCP)
    way = to_codes(raw.column("flow-direction"), {"EGRESS": _EGRESS, "INGRESS": _INGRESS}, _OTHER)
    numbers = raw.rows[rows]
    size_kept = len(numbers)
    table = {
        "row": numbers,
        "start": start.array(pa.int64(), rows).view(TIME),
        "end": end.array(pa.int64(), rows).view(TIME),
        "protocol": protocol.values[rows].astype(np.uint8),
        "src": addresses.array(src, rows),
        "dst": addresses.array(dst, rows),
        "src_port": ports[0].array(pa.uint16(), rows),
        "dst_port": ports[1].array(pa.uint16(), rows),
        "asked": pa.nulls(size_kept, CODED_ADDRESS),
        "asked_port": pa.nulls(size_kept, pa.uint16()),
        "seen_src": pa.nulls(size_kept, CODED_ADDRESS),
        **{name: column[rows] for name, column in meaning.items()},
        "bidirectional": np.zeros(size_kept, bool),
        "observer": pa.nulls(size_kept, CODED_TEXT),
        "vantage": _VANTAGE.take(way[rows]),
        "fwd_packets": packets.array(pa.uint64(), rows),
        "fwd_bytes": size.array(pa.uint64(), rows),
        "rev_packets": pa.nulls(size_kept, pa.uint64()),
        "rev_bytes": pa.nulls(size_kept, pa.uint64()),
    }
    hidden = not set(_PACKET) <= raw.columns.keys()
    return raw.batch(table, early=_EARLY, late=0, interfaces=hidden)


_VANTAGE = np.full(_OTHER + 1, Vantage.UNKNOWN, np.uint8)
_VANTAGE[_EGRESS], _VANTAGE[_INGRESS] = Vantage.AT_SRC, Vantage.AT_DST


def _ends(raw: Raw) -> tuple[Addresses, Codes, Codes]:
    """Return the addresses, and the codes of src and dst."""
    interface, packet = ([raw.column(name) for name in names] for names in (_INTERFACE, _PACKET))
    if all(is_complete(column) for column in packet):
        addresses = code_addresses(packet)
        return addresses, addresses.columns[0], addresses.columns[1]
    addresses = code_addresses([*interface, *packet])
    at_interface, in_packet = addresses.columns[:2], addresses.columns[2:]
    src, dst = (_packet_or_interface(*pair) for pair in zip(in_packet, at_interface, strict=True))
    return addresses, src, dst


def _packet_or_interface(packet: Codes, interface: Codes) -> Codes:
    absent = packet == NULL
    return np.where(absent, interface, packet) if absent.any() else packet


def _window(raw: Raw) -> tuple[Numbers, Numbers]:
    """Return start and end; where only one is known, it is both."""
    start, end = raw.times("start"), raw.times("end")
    return _filled(start, end), _filled(end, start)


def _filled(numbers: Numbers, other: Numbers) -> Numbers:
    if not numbers.null.any():
        return numbers
    values = np.where(numbers.null, other.values, numbers.values)
    return Numbers(values, numbers.null & other.null, numbers.bad | (numbers.null & other.bad))


def _drop_gaps(raw: Raw) -> None:
    """Drop what ``log-status`` says is no flow, whatever the rest of the record says."""
    words = {"OK": _OK, "NODATA": _NODATA, "SKIPDATA": _SKIPDATA}
    status = to_codes(raw.column("log-status"), words, _OTHER)
    raw.sieve.drop(fate.NO_DATA, status == _NODATA)
    raw.sieve.drop(fate.SKIP_DATA, status == _SKIPDATA)
    raw.sieve.drop(f"{fate.MALFORMED}unknown log-status", status == _OTHER)


def _is_bare(packets: Numbers, size: Numbers) -> Bools:
    """Return bool[n]: records whose packets hold no more than headers: a reset, and no data."""
    counted = ~(size.null | packets.null)
    bare = size.values <= _HEADERS * packets.values
    return np.asarray(np.where(counted, bare, packets.values == 1))


def _meaning(
    flags: Numbers, action: npt.NDArray[np.int16], bare: Bools, is_tcp: Bools
) -> dict[str, npt.NDArray[np.generic]]:
    """Return initiator, rung, outcome and opening: one look-up by flags and action a record."""
    told = is_tcp & ~flags.null
    low = flags.values.astype(np.uint8) * told
    meant = _MEANINGS.take(low | action << 8)
    outcome = meant & 3
    reset = np.flatnonzero(meant & _RESET)
    refused = (flags.values[reset] == _RST) & bare[reset]
    outcome[reset[refused]] = Outcome.FAILED
    outcome[~is_tcp & (action == _REJECT)] = Outcome.DENIED
    initiator = meant >> 2 & 3
    return {
        "initiator": initiator,
        "rung": (initiator != Initiator.UNKNOWN) * np.uint8(Rung.FLAGS),
        "outcome": outcome,
        "opening": meant & _OPENING != 0,
    }


_LOW_BYTE = 0xFF
_OPENING, _RESET = 16, 32


def _meanings() -> npt.NDArray[np.uint8]:
    """Return uint8[actions << 8]: outcome | initiator << 2 | opening | reset, by flags."""
    flags, action = np.arange(_LOW_BYTE + 1), np.arange(_OTHER + 1)[:, None]
    syn_ack = (flags & _SYN > 0) & (flags & _ACK > 0)
    only_syn = (flags & _SYN > 0) & ~syn_ack
    accept = action == _ACCEPT
    table = np.where(only_syn, Initiator.SRC << 2, np.where(syn_ack, Initiator.DST << 2, 0))
    table = table | np.where(only_syn & (action == _REJECT), Outcome.DENIED, 0)
    table = table | np.where(syn_ack & accept, Outcome.ANSWERED, 0)
    table = table | np.where(syn_ack & (action == _REJECT), Outcome.FAILED, 0)
    table = table | np.where(only_syn & accept, _OPENING, 0)
    table = table | np.where((flags == _RST) & accept, _RESET, 0)
    return table.astype(np.uint8).ravel()


_MEANINGS = _meanings()

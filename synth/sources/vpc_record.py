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
from synth.sources.addresses import NULL, code_addresses
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
ADDRESSES = ("srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr")
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
_OWN = frozenset(squeeze(name) for name in ("srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr"))
_ENOUGH = 4

_SYN, _RST, _ACK = 2, 4, 16
_OK, _NODATA, _SKIPDATA = 1, 2, 3
_ACCEPT, _REJECT = 1, 2
_EGRESS, _INGRESS = 1, 2
_OTHER = 9
_EARLY = 60_000_000
_LARGEST_FLAGS = 65_535


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
    addresses = code_addresses([raw.column(name) for name in ADDRESSES])
    src = _packet_or_interface(addresses.columns[2], addresses.columns[0])
    dst = _packet_or_interface(addresses.columns[3], addresses.columns[1])
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
    kept = raw.sieve.kept
    meaning = _meaning(flags, action, packets, protocol.values == judge.TCP)
    way = to_codes(raw.column("flow-direction"), {"EGRESS": _EGRESS, "INGRESS": _INGRESS}, _OTHER)
    size_kept = int(kept.sum())
    table = {
        "row": raw.rows[kept],
        "start": start.array(pa.int64(), kept).cast(TIME),
        "end": end.array(pa.int64(), kept).cast(TIME),
        "protocol": protocol.values[kept].astype(np.uint8),
        "src": addresses.array(src, kept),
        "dst": addresses.array(dst, kept),
        "src_port": ports[0].array(pa.uint16(), kept),
        "dst_port": ports[1].array(pa.uint16(), kept),
        "asked": pa.nulls(size_kept, CODED_ADDRESS),
        "asked_port": pa.nulls(size_kept, pa.uint16()),
        "seen_src": pa.nulls(size_kept, CODED_ADDRESS),
        **{name: column[kept] for name, column in meaning.items()},
        "bidirectional": np.zeros(size_kept, bool),
        "observer": pa.nulls(size_kept, CODED_TEXT),
        "vantage": _VANTAGE[way[kept]],
        "fwd_packets": packets.array(pa.uint64(), kept),
        "fwd_bytes": size.array(pa.uint64(), kept),
        "rev_packets": pa.nulls(size_kept, pa.uint64()),
        "rev_bytes": pa.nulls(size_kept, pa.uint64()),
    }
    return raw.batch(table, early=_EARLY, late=0)


_VANTAGE = np.full(_OTHER + 1, Vantage.UNKNOWN, np.uint8)
_VANTAGE[_EGRESS], _VANTAGE[_INGRESS] = Vantage.AT_SRC, Vantage.AT_DST


def _packet_or_interface(packet: Codes, interface: Codes) -> Codes:
    return np.where(packet == NULL, interface, packet) if len(packet) else packet


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


def _meaning(
    flags: Numbers, action: npt.NDArray[np.int16], packets: Numbers, is_tcp: Bools
) -> dict[str, npt.NDArray[np.generic]]:
    told = is_tcp & ~flags.null
    syn = told & (flags.values & _SYN > 0)
    syn_ack = syn & (flags.values & _ACK > 0)
    only_syn = syn & ~syn_ack
    accept, reject = action == _ACCEPT, action == _REJECT
    refused = told & accept & (flags.values == _RST) & (packets.values == 1)
    outcome = np.zeros(len(action), np.uint8)
    outcome[reject & only_syn] = Outcome.DENIED
    outcome[accept & syn_ack] = Outcome.ANSWERED
    outcome[refused] = Outcome.FAILED
    initiator = np.zeros(len(action), np.uint8)
    initiator[only_syn] = Initiator.SRC
    initiator[syn_ack] = Initiator.DST
    return {
        "initiator": initiator,
        "rung": np.where(syn, np.uint8(Rung.FLAGS), np.uint8(Rung.NONE)),
        "outcome": outcome,
        "opening": only_syn & accept,
    }

"""The network policy agent of the AWS VPC CNI: ``network-policy-agent.log``, and CloudWatch.

Three spellings of one thing, by version and by place::

    {"ts": …, "msg": "Flow Info:  ", "Src IP": …, "Src Port": …, …, "Verdict": "DENY"}
    {"ts": …, "msg": "Flow Info: Src IP: … Src Port: … Dest IP: … Dest Port: … Proto TCP
                      Verdict DENY Direction egress, Tier …"}
    Node: …;SIP: …;SPORT: …;DIP: …;DPORT: …;PROTOCOL: TCP;PolicyVerdict: DENY;…

Flags are not told. Egress is denied before a Service's address is translated, so a destination may
be a Service; and a reply to a connection that the agent has forgotten is logged like an opening.
"""

import re
from collections.abc import Iterator, Mapping

from synth.flows import FlowBatch, Vantage
from synth.sources import sieve as fate
from synth.sources.denials.packets import (
    NOT_A_DENIAL,
    UNREADABLE,
    Packet,
    Parsed,
    protocol_of,
    read_lines,
    read_object,
    text_of,
)
from synth.sources.interface import Head

NAME = "aws"
DESCRIPTION = "AWS network policy agent, its log or CloudWatch's"

_MESSAGE = re.compile(
    r"Src IP:? (?P<src>\S+) Src Port:? (?P<sport>\S+) Dest IP:? (?P<dst>\S+)"
    r" Dest Port:? (?P<dport>\S+) Proto:? (?P<proto>\S+) Verdict:? (?P<verdict>[^\s,]+)"
    r"(?: Direction:? (?P<side>\w+))?"
)
_CLOUDWATCH = re.compile(
    r"(?:(?P<time>\d{4}-\d\d-\d\dT\S+)\s+)?(?:\S+ )?Node: (?P<node>[^;]*);SIP: (?P<src>[^;]*);"
    r"SPORT: (?P<sport>[^;]*);DIP: (?P<dst>[^;]*);DPORT: (?P<dport>[^;]*);"
    r"PROTOCOL: (?P<proto>[^;]*);PolicyVerdict: (?P<verdict>[^;\s]*)"
)
_SIDES = {"egress": Vantage.AT_SRC, "ingress": Vantage.AT_DST}
_BEGINS = "Flow Info:"
_WITHOUT_NAME = "UNKNOWN"


def recognises(head: Head) -> bool:
    """Return whether a line tells a flow, or the agent's own doings in its log."""
    text = head.text
    flows = b"Flow Info:" in text or (b";SIP: " in text and b";PolicyVerdict: " in text)
    return head.columns is None and (flows or b"ebpf-client" in text)


def read(path: str) -> Iterator[FlowBatch]:
    """Yield the packets whose verdict is DENY.

    Raises
    ------
    InputError
        If the file cannot be read, or no line is readable.

    """
    return read_lines(path, NAME, parse)


def parse(line: str) -> Parsed:
    """Return the denied packet of the line, or what else the line is."""
    told = _CLOUDWATCH.search(line)
    if told:
        return _packet(told.groupdict(""))
    if _BEGINS not in line and "PolicyVerdict" not in line:
        return fate.NOT_A_RECORD
    entry = read_object(line)
    if entry is None:
        told = _MESSAGE.search(line)
        return _packet(told.groupdict("")) if told and "{" not in line else UNREADABLE
    told = _MESSAGE.search(text_of(entry, "msg"))
    fields = told.groupdict("") if told else _fields(entry)
    return _packet({**fields, "time": text_of(entry, "ts", "timestamp")})


def _fields(entry: Mapping[str, object]) -> dict[str, str]:
    names = {
        "src": "Src IP",
        "sport": "Src Port",
        "dst": "Dest IP",
        "dport": "Dest Port",
        "proto": "Proto",
        "verdict": "Verdict",
        "side": "Direction",
    }
    return {name: text_of(entry, field) for name, field in names.items()}


def _packet(fields: Mapping[str, str]) -> Parsed:
    if fields["verdict"] != "DENY":
        return NOT_A_DENIAL if fields["verdict"] else UNREADABLE
    if fields["proto"] == _WITHOUT_NAME:
        return fate.NO_POLICY_SEMANTICS
    return Packet(
        protocol=protocol_of(fields["proto"]),
        src=fields["src"],
        dst=fields["dst"],
        src_port=fields["sport"],
        dst_port=fields["dport"],
        time=fields.get("time", ""),
        at=_SIDES.get(fields.get("side", "").lower(), Vantage.UNKNOWN),
        observer=fields.get("node", ""),
    )

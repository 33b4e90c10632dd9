"""Cilium Hubble: what ``hubble observe -o json`` prints, and its exporter writes, one flow a line.

| field | read as |
|---|---|
| verdict DROPPED | denied, if the reason is a policy's, or if none is given |
| verdict AUDIT | would be denied, and so counts |
| is_reply | true: not an opening; false: the source opened the connection |
| l4.TCP.flags | SYN without ACK: an opening; others: a late packet |
| traffic_direction | EGRESS: denied at the source; INGRESS: at the destination |
"""

import re
from collections.abc import Iterator, Mapping

from synth.flows import FlowBatch, Rung, Vantage
from synth.sources import sieve as fate
from synth.sources.denials.packets import (
    NOT_A_DENIAL,
    NOT_AN_OPENING,
    UNREADABLE,
    Packet,
    Parsed,
    protocol_of,
    read_lines,
    read_object,
    text_of,
)
from synth.sources.interface import Head

NAME = "hubble"
DESCRIPTION = "Cilium Hubble flows, JSON lines"

POLICY_REASONS = frozenset({"POLICY_DENIED", "POLICY_DENY", "AUTH_REQUIRED", "133", "181", "189"})
"""Reasons of drops that a policy is behind, as words and as the numbers of older versions."""
LOST = "lost-events"
_SIDES = {"EGRESS": Vantage.AT_SRC, "INGRESS": Vantage.AT_DST}
_FLOW = re.compile(rb'"(verdict|node_status|lost_events)"\s*:')
_SHAPE = re.compile(rb'"(flow|IP|ip|lost_events|node_status)"\s*:\s*\{')


def recognises(head: Head) -> bool:
    """Return whether the text holds flows as JSON."""
    is_flow = _FLOW.search(head.text) and _SHAPE.search(head.text)
    return head.columns is None and bool(is_flow) and b"Flow Info" not in head.text


def read(path: str) -> Iterator[FlowBatch]:
    """Yield the packets that policies dropped.

    Raises
    ------
    InputError
        If the file cannot be read, or no line is readable.

    """
    return read_lines(path, NAME, parse)


def parse(line: str) -> Parsed:
    """Return the denied packet of the line, or what else the line is."""
    whole = read_object(line)
    if whole is None:
        return UNREADABLE if "{" in line else fate.NOT_A_RECORD
    if "lost_events" in whole:
        return LOST
    flow = whole.get("flow", whole)
    if not isinstance(flow, Mapping) or not text_of(flow, "verdict"):
        return fate.NOT_A_RECORD
    if not _is_denied(flow):
        return NOT_A_DENIAL
    return _packet({"time": text_of(whole, "time"), **flow})


def _is_denied(flow: Mapping[str, object]) -> bool:
    verdict = text_of(flow, "verdict")
    if flow.get("l7") or verdict not in ("DROPPED", "AUDIT"):
        return False
    reason = text_of(flow, "drop_reason_desc", "drop_reason")
    return verdict == "AUDIT" or not reason or reason in POLICY_REASONS


def _packet(flow: Mapping[str, object]) -> Parsed:
    address = flow.get("IP", flow.get("ip"))
    layers = flow.get("l4")
    if not isinstance(layers, Mapping) or len(layers) != 1:
        return f"{fate.MALFORMED}no protocol"
    ((name, layer),) = layers.items()
    flags = layer.get("flags") if isinstance(layer, Mapping) else None
    opens = Rung.NONE
    if isinstance(flags, Mapping) and any(flags.values()):
        if not flags.get("SYN") or flags.get("ACK"):
            return NOT_AN_OPENING
        opens = Rung.FLAGS
    if flow.get("is_reply") is True:
        return NOT_AN_OPENING
    if flow.get("is_reply") is False and not opens:
        opens = Rung.REPORTED
    return Packet(
        protocol=protocol_of(str(name)),
        src=text_of(address, "source"),
        dst=text_of(address, "destination"),
        src_port=text_of(layer, "source_port"),
        dst_port=text_of(layer, "destination_port"),
        time=text_of(flow, "time"),
        opens=opens,
        at=_SIDES.get(text_of(flow, "traffic_direction"), Vantage.UNKNOWN),
        observer=text_of(flow, "node_name").rpartition("/")[2],
    )

"""What single lines of each format mean."""

import pytest

from synth.flows import Rung, Vantage
from synth.sources.denials import aws, calico, hubble, nflog_json, nflog_text
from synth.sources.denials.packets import Packet
from tests.sources.denials.samples import AWS, CALICO, HUBBLE, NFLOG_JSON, NFLOG_TEXT, ulogd
from tests.sources.denials.samples import hubble as flow

WEB_TO_DB = ("6", "10.244.1.11", "10.244.2.30", "51000", "3306")


def key(packet: object) -> tuple[str, ...]:
    assert isinstance(packet, Packet)
    return packet.protocol, packet.src, packet.dst, packet.src_port, packet.dst_port


@pytest.mark.parametrize(
    "packet",
    [
        hubble.parse(HUBBLE.lines[0][0]),
        aws.parse(AWS.lines[0][0]),
        aws.parse(AWS.lines[1][0]),
        aws.parse(AWS.lines[3][0]),
        calico.parse(CALICO.lines[0][0]),
        nflog_text.parse(NFLOG_TEXT.lines[0][0]),
        nflog_json.parse(NFLOG_JSON.lines[0][0]),
    ],
)
def test_all_tell_the_same_packet(packet: object) -> None:
    assert key(packet) == WEB_TO_DB


def test_hubble_tells_side_and_node() -> None:
    packet = hubble.parse(HUBBLE.lines[0][0])
    assert isinstance(packet, Packet)
    assert (packet.opens, packet.at, packet.observer) == (Rung.FLAGS, Vantage.AT_DST, "node2")
    egress = hubble.parse(flow(traffic_direction='"EGRESS"'))
    assert isinstance(egress, Packet)
    assert egress.at == Vantage.AT_SRC


def test_hubble_believes_is_reply_only_where_it_is_told() -> None:
    told, untold = hubble.parse(HUBBLE.lines[5][0]), hubble.parse(HUBBLE.lines[6][0])
    assert isinstance(told, Packet)
    assert isinstance(untold, Packet)
    assert (told.opens, untold.opens) == (Rung.REPORTED, Rung.NONE)


def test_hubble_takes_the_outer_time_where_the_flow_has_none() -> None:
    packet = hubble.parse(f'{{"flow":{flow(time="")},"time":"2026-11-23T00:00:00Z"}}')
    assert isinstance(packet, Packet)
    assert packet.time == "2026-11-23T00:00:00Z"


def test_the_agent_tells_no_flags_but_sometimes_the_side() -> None:
    sides = [aws.parse(AWS.lines[at][0]) for at in (0, 1, 2)]
    assert [one.at for one in sides if isinstance(one, Packet)] == [
        Vantage.UNKNOWN,
        Vantage.AT_SRC,
        Vantage.AT_DST,
    ]
    assert {one.opens for one in sides if isinstance(one, Packet)} == {Rung.NONE}


def test_calico_tells_the_side_by_the_interface_of_the_pod() -> None:
    packets = [calico.parse(CALICO.lines[at][0]) for at in (0, 1, 2)]
    assert [one.at for one in packets if isinstance(one, Packet)] == [
        Vantage.AT_SRC,
        Vantage.AT_DST,
        Vantage.UNKNOWN,
    ]


def test_times_without_year_or_zone_are_none() -> None:
    stamped, unstamped = (calico.parse(CALICO.lines[at][0]) for at in (0, 1))
    assert isinstance(stamped, Packet)
    assert isinstance(unstamped, Packet)
    assert (stamped.time, unstamped.time) == ("2026-11-23T05:45:28.100000-08:00", "")


def test_ulogd_prefers_the_kernel_s_time_to_a_stamp_without_zone() -> None:
    packets = [nflog_json.parse(line) for line in (ulogd(), ulogd(oob__time__sec=""))]
    assert [one.time for one in packets if isinstance(one, Packet)] == ["1795412728100000", ""]


@pytest.mark.parametrize(
    ("prefix", "kept"),
    [
        ("ACCEPT", False),
        ("nft:allowed:", False),
        ("policy-pass ", False),
        ("DROP by policy ", True),
        ("bypass-denied", True),
        ("disallow", True),
        ("", True),
    ],
)
def test_prefixes_that_say_accepted(prefix: str, *, kept: bool) -> None:
    packet = nflog_json.parse(ulogd(oob__prefix=f'"{prefix}"'))
    assert isinstance(packet, Packet) is kept

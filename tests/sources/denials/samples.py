"""A few lines of each format of denial logs, and what each line is."""

from dataclasses import dataclass

KEPT = "kept"
NOT_A_RECORD = "not-a-record"
NOT_A_DENIAL = "not-a-denial"
NOT_AN_OPENING = "not-an-opening"
NO_SEMANTICS = "no-policy-semantics"
UNREADABLE = "malformed: unreadable line"


@dataclass(frozen=True)
class Sample:
    """Lines, and the outcome of each."""

    name: str
    lines: tuple[tuple[str, str], ...]

    @property
    def text(self) -> bytes:
        """The whole file."""
        return "".join(f"{line}\n" for line, _ in self.lines).encode()

    @property
    def outcomes(self) -> list[str]:
        """The outcome of each line."""
        return [outcome for _, outcome in self.lines]


def hubble(**more: str) -> str:
    """Return a dropped flow, from web to db; ``more`` replaces fields, as JSON text."""
    fields = {
        "time": '"2026-11-23T05:45:28.123456789Z"',
        "verdict": '"DROPPED"',
        "drop_reason_desc": '"POLICY_DENIED"',
        "IP": '{"source":"10.244.1.11","destination":"10.244.2.30","ipVersion":"IPv4"}',
        "l4": '{"TCP":{"source_port":51000,"destination_port":3306,"flags":{"SYN":true}}}',
        "traffic_direction": '"INGRESS"',
        "node_name": '"kind/node2"',
    } | more
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields.items() if value) + "}"


UDP = '{"UDP":{"source_port":51000,"destination_port":53}}'
ACK = '{"TCP":{"source_port":5000,"destination_port":41000,"flags":{"ACK":true}}}'
SYN_ACK = '{"TCP":{"source_port":5000,"destination_port":41000,"flags":{"SYN":true,"ACK":true}}}'
AUDITED = hubble(verdict='"AUDIT"')

HUBBLE = Sample(
    "hubble",
    (
        (f'{{"flow":{hubble()},"node_name":"node2","time":"2026-11-23T05:45:28Z"}}', KEPT),
        (hubble(), KEPT),
        (
            f'2026-11-23T05:45:28Z stdout F {{"flow":{AUDITED}}}',
            KEPT,
        ),
        (hubble(drop_reason_desc="", drop_reason="133"), KEPT),
        (hubble(drop_reason_desc=""), KEPT),
        (hubble(l4=UDP, is_reply="false"), KEPT),
        (hubble(l4=UDP), KEPT),
        (hubble(verdict='"FORWARDED"'), NOT_A_DENIAL),
        (hubble(drop_reason_desc='"CT_MAP_INSERTION_FAILED"'), NOT_A_DENIAL),
        (hubble(l7='{"type":"REQUEST"}'), NOT_A_DENIAL),
        (hubble(l4=ACK), NOT_AN_OPENING),
        (hubble(l4=SYN_ACK), NOT_AN_OPENING),
        (hubble(is_reply="true"), NOT_AN_OPENING),
        (hubble(l4='{"ICMPv4":{"type":8}}'), NO_SEMANTICS),
        (hubble(IP=""), "malformed: no address"),
        (hubble(l4=""), "malformed: no protocol"),
        (hubble(l4='{"TCP":{"destination_port":3306}}'), "malformed: no port"),
        (hubble(time='"yesterday"'), "malformed: bad time"),
        (
            '{"lost_events":{"source":"PERF_EVENT_RING_BUFFER","num_events_lost":"3"}}',
            "lost-events",
        ),
        ('{"node_status":{"state_change":"NODE_CONNECTED"}}', NOT_A_RECORD),
        (hubble()[:-40], UNREADABLE),
    ),
)

_PLACES = '"Src IP":"10.244.1.11","Src Port":51000,"Dest IP":"10.244.2.30","Dest Port":3306'
_STAMP = '"level":"info","ts":"2026-11-23T05:45:28.100Z"'
_MESSAGE = "Src IP: 10.244.1.11 Src Port: 51000 Dest IP: 10.244.2.30 Dest Port: 3306"
_CLOUD = "Node: node1;SIP: 10.244.1.11;SPORT: 51000;DIP: 10.244.2.30;DPORT: 3306"

AWS = Sample(
    "aws",
    (
        (
            (
                f'{{{_STAMP},"logger":"ebpf-client","msg":"Flow Info:  ",{_PLACES},'
                '"Proto":"TCP","Verdict":"DENY"}'
            ),
            KEPT,
        ),
        (
            (
                f'{{{_STAMP},"msg":"Flow Info: {_MESSAGE} Proto TCP Verdict DENY'
                ' Direction egress, Tier NETWORK_POLICY"}'
            ),
            KEPT,
        ),
        (
            (
                f'{{{_STAMP},"msg":"Flow Info: Src IP: fd00::1 Src Port: 51000 Dest IP: fd00::2'
                ' Dest Port: 53 Proto: UDP Verdict: DENY Direction: ingress Tier: DEFAULT"}'
            ),
            KEPT,
        ),
        (f"{_CLOUD};PROTOCOL: TCP;PolicyVerdict: DENY", KEPT),
        (f"{_CLOUD};PROTOCOL: UDP;PolicyVerdict: DENY;Tier: BASELINE", KEPT),
        (
            f'{{{_STAMP},"msg":"Flow Info: {_MESSAGE} Proto TCP Verdict ACCEPT Direction egress"}}',
            NOT_A_DENIAL,
        ),
        (
            f'{{{_STAMP},"msg":"Flow Info:",{_PLACES},"Proto":"TCP","Verdict":"EXPIRED/DELETED"}}',
            NOT_A_DENIAL,
        ),
        (
            f'{{{_STAMP},"msg":"Flow Info:  ",{_PLACES},"Proto":"UNKNOWN","Verdict":"DENY"}}',
            NO_SEMANTICS,
        ),
        (f'{{{_STAMP},"logger":"ebpf-client","msg":"Updating Map with "}}', NOT_A_RECORD),
        (f'{{{_STAMP},"msg":"Flow Info:  ",{_PLACES},"Proto":"TCP"}}', UNREADABLE),
        (f'{{{_STAMP},"msg":"Flow Info: {_MESSAGE} Proto TCP Verd', UNREADABLE),
        (
            (
                f'{{{_STAMP},"msg":"Flow Info: {_MESSAGE.replace("3306", "99999")} Proto TCP'
                ' Verdict DENY Direction egress"}'
            ),
            "malformed: port not 0 to 65535",
        ),
    ),
)

_PACKET = (
    "SRC=10.244.1.11 DST=10.244.2.30 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=5 DF"
    " PROTO=TCP SPT=51000 DPT=3306 WINDOW=64860 RES=0x00 SYN URGP=0"
)
_ISO, _OLD = "2026-11-23T05:45:28.100000-08:00", "Nov 23 05:45:28"
_MAC = "MAC=ee:ee:ee:ee:ee:ee:1e:0a:36:33:f5:09:08:00"

CALICO = Sample(
    "calico",
    (
        (
            f"{_ISO} node1 kernel: calico-packet: IN=cali5 OUT=eth0 {_MAC} {_PACKET}",
            KEPT,
        ),
        (
            f"{_OLD} node2 kernel: [158271.044316] calico-packet: IN=eth0 OUT=cali7 {_PACKET}",
            KEPT,
        ),
        (f"calico-drop: IN=cali5 OUT=cali7 {_PACKET}", KEPT),
        (f"calico-packet: IN=cali5 OUT= {_PACKET.replace(' SYN ', ' ACK ')}", NOT_AN_OPENING),
        (f"calico-packet: IN=cali5 OUT= {_PACKET.replace(' SYN ', ' ACK SYN ')}", NOT_AN_OPENING),
        (
            (
                "calico-packet: IN=cali5 OUT=eth0 SRC=10.244.1.11 DST=10.244.2.30 LEN=28"
                " PROTO=ICMP TYPE=3 CODE=3 [SRC=10.244.2.30 DST=10.244.1.11 PROTO=UDP SPT=5 DPT=5 ]"
            ),
            NO_SEMANTICS,
        ),
        ("Nov 23 05:45:28 node1 kernel: device cali5 entered promiscuous mode", NOT_A_RECORD),
        (f"ufw: IN=eth0 OUT= {_PACKET}", NOT_A_RECORD),
        ("calico-packet: IN=cali5 OUT=eth0 SRC=10.244.1.11", UNREADABLE),
        (
            f"calico-packet: IN=a OUT=b {_PACKET.replace('10.244.1.11', '10.244.1.300')}",
            "malformed: bad address",
        ),
    ),
)

NFLOG_TEXT = Sample(
    "nflog-text",
    (
        (f"Nov 23 05:45:28 node1 DROP by policy shop/db IN=veth1 OUT=veth2 MAC= {_PACKET}", KEPT),
        (
            (
                "2026-11-23T05:45:28+0000 node1 nflog IN=veth1 OUT=eth0 SRC=fd00:0244:0001::11"
                " DST=fd00:0244:0002::30 LEN=80 PROTO=UDP SPT=51000 DPT=53 LEN=40"
            ),
            KEPT,
        ),
        (
            (
                "[12345.678901] Connection dropped by Weave NPC (see: bit.ly/x):=IN= OUT=eth0"
                " SRC=10.244.1.11 DST=10.244.2.30 LEN=60 PROTO=SCTP SPT=9 DPT=9"
            ),
            KEPT,
        ),
        ("DROP IN=a OUT=b SRC=10.244.1.11", UNREADABLE),
        (f"Nov 23 05:45:28 node1 ACCEPT: IN=veth1 OUT=veth2 {_PACKET}", NOT_A_DENIAL),
        ("Nov 23 05:45:28 node1 systemd[1]: Started something", NOT_A_RECORD),
        (f"DROP IN=a OUT=b {_PACKET.replace(' SYN ', ' RST ')}", NOT_AN_OPENING),
        (
            "DROP IN=a OUT=b SRC=224.0.0.1 DST=10.244.2.30 PROTO=UDP SPT=1 DPT=2",
            "multicast-or-broadcast",
        ),
    ),
)


def ulogd(**more: str) -> str:
    """Return a packet of ulogd; ``more`` replaces fields (``__`` for a dot), as JSON text."""
    fields = {
        "timestamp": '"2026-11-23T05:45:28.100000"',
        "dvc": '"Netfilter"',
        "raw.pktlen": "60",
        "oob.prefix": '"DROP by policy "',
        "oob.time.sec": "1795412728",
        "oob.time.usec": "100000",
        "ip.protocol": "6",
        "src_ip": '"10.244.1.11"',
        "dest_ip": '"10.244.2.30"',
        "src_port": "51000",
        "dest_port": "3306",
        "tcp.syn": "1",
    } | {name.replace("__", "."): value for name, value in more.items()}
    return "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items() if value) + "}"


NFLOG_JSON = Sample(
    "nflog-json",
    (
        (ulogd(), KEPT),
        (ulogd(tcp__syn=""), KEPT),
        (ulogd(oob__time__sec="", timestamp='"2026-11-23T05:45:28.1+0200"'), KEPT),
        (ulogd(ip__protocol="17", tcp__syn=""), KEPT),
        (ulogd(oob__prefix='"nft:ALLOW:out "'), NOT_A_DENIAL),
        (ulogd(action='"allowed"'), NOT_A_DENIAL),
        (ulogd(tcp__ack="1"), NOT_AN_OPENING),
        (ulogd(ip__protocol="58", tcp__syn="", src_port="", dest_port=""), NO_SEMANTICS),
        ("ulogd started", NOT_A_RECORD),
        (ulogd()[:-30], UNREADABLE),
        (ulogd(src_ip=""), "malformed: no address"),
    ),
)

SAMPLES = (HUBBLE, AWS, NFLOG_JSON, CALICO, NFLOG_TEXT)

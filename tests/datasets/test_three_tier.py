"""The three-tier data set says the same thing in all its files. Nothing here uses synth."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.recorder.conntrack_parquet import SCHEMA, export, parse_line, read_events

FOLDER = Path(__file__).resolve().parents[2] / "datasets" / "three-tier"
NODES = ("node1", "node2")
CONNECTIONS = r"^\| `(\S+)` \| `?([^`|]+?)`? \| (\w+) (\w+) \| (\d+)[^|]* \| (\w+) \|$"
PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP"}
Row = dict[str, Any]


def load_objects(name: str) -> list[Row]:
    """Items of one list of `cluster/`."""
    listed = json.loads((FOLDER / "cluster" / f"{name}.json").read_text())
    assert (listed["kind"], listed["apiVersion"]) == ("List", "v1")
    items: list[Row] = listed["items"]
    return items


ANSWER: Row = json.loads((FOLDER / "answer.json").read_text())
CARD = (FOLDER / "README.md").read_text()
PODS, SERVICES, NODE_OBJECTS, NAMESPACES, WORKLOADS = (
    load_objects(kind) for kind in ("pods", "services", "nodes", "namespaces", "workloads")
)
OBJECTS = [*PODS, *SERVICES, *NODE_OBJECTS, *NAMESPACES, *WORKLOADS]


def events_of(node: str) -> Path:
    """Event log of one node."""
    return FOLDER / "flows" / "conntrack" / f"{node}.events.txt"


def read_lines(node: str) -> list[str]:
    """Lines of one event log."""
    return events_of(node).read_text().splitlines()


def read_rows(node: str) -> list[Row]:
    """Rows of one Parquet file."""
    rows: list[Row] = pq.read_table(FOLDER / "flows" / "parquet" / f"{node}.parquet").to_pylist()
    return rows


def print_line(row: Row) -> str:
    """Line that conntrack printed for a row, with single blanks and without `delta-time`."""
    ts, names = row["ts"], {2: "ipv4", 10: "ipv6"}
    parts = [f"[{int(ts.timestamp())}.{ts.microsecond:06}]", f"[{row['event'].upper()}]"]
    parts += [f"{names[row['l3']]} {row['l3']}"]
    parts += [f"{PROTOCOLS[row['proto']].lower()} {row['proto']} {row['timeout_s']}"]
    parts += [row["tcp_state"]] * (row["tcp_state"] is not None)
    parts += [print_tuple(row, "orig"), "[UNREPLIED]" * row["unreplied"]]
    parts += [print_tuple(row, "reply"), "[ASSURED]" * row["assured"], f"id={row['ct_id']}"]
    return " ".join(part for part in parts if part)


def print_tuple(row: Row, side: str) -> str:
    """One tuple of a row as conntrack prints it."""
    parts = [f"src={row[f'{side}_src']} dst={row[f'{side}_dst']}"]
    if row["icmp_type"] is None:
        parts += [f"sport={row[f'{side}_sport']} dport={row[f'{side}_dport']}"]
    else:  # an echo request is type 8, its reply type 0
        shown = row["icmp_type"] if side == "orig" else 0
        parts += [f"type={shown} code={row['icmp_code']} id={row['icmp_id']}"]
    if row[f"{side}_packets"] is not None:
        parts += [f"packets={row[f'{side}_packets']} bytes={row[f'{side}_bytes']}"]
    return " ".join(parts)


def name_workload(pod: Row) -> str:
    """Top-level owner of a pod as `namespace/name`."""
    by_uid = {item["metadata"]["uid"]: item for item in WORKLOADS}
    item = pod
    while "ownerReferences" in item["metadata"]:
        (owner,) = item["metadata"]["ownerReferences"]
        item = by_uid[owner["uid"]]
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


HOLDERS = {pod["status"]["podIP"]: name_workload(pod) for pod in PODS}


def name_node(address: str) -> str | None:
    """Node whose pod range holds an address."""
    for node in NODE_OBJECTS:
        if ipaddress.ip_address(address) in ipaddress.ip_network(node["spec"]["podCIDR"]):
            return str(node["metadata"]["name"])
    return None


def judge_outcome(rows: list[Row]) -> str:
    """Outcome of one connection, from all its rows at one node."""
    if any(not row["unreplied"] for row in rows):
        return "answered"
    last = rows[-1]
    refused = last["event"] == "destroy" and last["tcp_state"] == "CLOSE" and last["reply_packets"]
    return "refused" if refused else "unanswered"


def count_edges() -> list[Row]:
    """Edges of both event logs, each connection counted at one node."""
    connections: dict[tuple[Any, ...], list[Row]] = {}
    for node in NODES:
        for row in read_events(events_of(node)):
            at = name_node(row["reply_src"]) or name_node(row["orig_src"])
            if at == node:
                key = (row["orig_src"], row["orig_sport"], row["orig_dst"], row["ct_id"])
                connections.setdefault((node, *key), []).append(row)
    counts: Counter[tuple[Any, ...]] = Counter()
    for (node, *_), rows in connections.items():
        assert [row["event"] for row in rows].count("new") == 1
        first = rows[0]
        ends = (HOLDERS[first["orig_src"]], HOLDERS.get(first["reply_src"], first["reply_src"]))
        service = (PROTOCOLS[first["proto"]], first["reply_sport"])
        counts[(*ends, *service, judge_outcome(rows), node)] += 1
    names = ("client", "server", "protocol", "port", "outcome", "counted_at")
    return [dict(zip(names, key, strict=True)) | {"connections": n} for key, n in counts.items()]


def sort_edges(edges: list[Row]) -> list[Row]:
    """Edges in the order of the answer."""
    return sorted(edges, key=lambda edge: json.dumps(edge, sort_keys=True))


def admits(direction: Row, peer: str, pair: Row) -> bool:
    """Whether a ready direction has a rule for the peer and port, or does not isolate."""
    if direction["state"] != "ready":
        return True
    port = {"protocol": pair["protocol"], "port": pair["port"]}
    return any(
        port in rule["ports"] and peer in [one["workload"] for one in rule["peers"]]
        for rule in direction["rules"]
    )


def find_denying(pair: Row) -> list[str]:
    """Directions that deny a pair once the ready policies are applied."""
    sides = (("egress", "client", "server"), ("ingress", "server", "client"))
    return [
        direction
        for direction, subject, peer in sides
        if pair[subject] in ANSWER["subjects"]
        and not admits(ANSWER["subjects"][pair[subject]][direction], pair[peer], pair)
    ]


def select_pods(selector: Row, namespace: str) -> set[str]:
    """Workloads whose pods of a namespace carry all the selector's labels."""
    wanted = selector["matchLabels"].items()
    return {
        name_workload(pod)
        for pod in PODS
        if pod["metadata"]["namespace"] == namespace and wanted <= pod["metadata"]["labels"].items()
    }


def select_backends(service: Row) -> set[str]:
    """Workloads behind a Service."""
    selector = {"matchLabels": service["spec"]["selector"]}
    return select_pods(selector, service["metadata"]["namespace"])


@pytest.mark.parametrize("node", NODES)
def test_parquet_holds_the_records_of_the_text_in_order(node: str) -> None:
    assert pq.read_schema(FOLDER / "flows" / "parquet" / f"{node}.parquet") == SCHEMA
    assert read_rows(node) == read_events(events_of(node))


@pytest.mark.parametrize("node", NODES)
def test_parquet_prints_back_to_the_text(node: str) -> None:
    text = re.sub(r" delta-time=\d+", "", "\n".join(read_lines(node)))
    assert [print_line(row) for row in read_rows(node)] == [
        " ".join(line.split()) for line in text.split("\n")
    ]


@pytest.mark.parametrize("node", NODES)
def test_icmp_rows_have_no_ports_and_other_rows_no_type(node: str) -> None:
    ports = {"orig_sport", "orig_dport", "reply_sport", "reply_dport"}
    icmp = {"icmp_type", "icmp_code", "icmp_id"}
    for row in read_rows(node):
        null = {name for name in ports | icmp if row[name] is None}
        assert null == (ports if row["proto"] == 1 else icmp)
    pings = [row for row in read_rows(node) if row["proto"] == 1]
    assert [(p["icmp_type"], p["icmp_code"], p["icmp_id"]) for p in pings] == [(8, 0, 13867)] * 2


@pytest.mark.parametrize("node", NODES)
def test_export_writes_the_same_bytes(node: str, tmp_path: Path) -> None:
    stored = FOLDER / "flows" / "parquet" / f"{node}.parquet"
    export(events_of(node), tmp_path / "first")
    export(events_of(node), tmp_path / "second")
    first = (tmp_path / "first").read_bytes()
    assert (tmp_path / "second").read_bytes() == first
    # Another release of pyarrow writes another name into the file.
    if pq.read_metadata(stored).created_by.endswith(f" {pa.__version__}"):
        assert stored.read_bytes() == first


@pytest.mark.parametrize(
    ("part", "damaged"),
    [
        (" id=514855179", ""),
        (" id=514855179", " id=514855179 use=1"),
        ("sport=53470 ", ""),
        ("[NEW]", "[OLD]"),
        ("[UNREPLIED] ", "[UNREPLIED] // "),
    ],
)
def test_export_refuses_what_it_does_not_understand(part: str, damaged: str) -> None:
    line = read_lines("node1")[0].replace(part, damaged)
    with pytest.raises(ValueError, match="not a conntrack event"):
        parse_line(line, "node1")


def test_the_card_counts_the_records() -> None:
    words = ("[NEW]", "[UPDATE]", "[DESTROY]", " tcp ", " udp ", " icmp ")
    for node in NODES:
        text = "\n".join(read_lines(node))
        counts = [len(read_lines(node)), *(text.count(word) for word in words)]
        assert f"| {node} | {' | '.join(map(str, counts))} |" in CARD


def test_the_card_counts_the_connections() -> None:
    rows = re.findall(CONNECTIONS, CARD, re.MULTILINE)
    listed = [
        {"client": client, "server": server, "protocol": protocol, "outcome": outcome}
        | {"port": int(port) if port.isdigit() else None, "connections": int(connections)}
        for client, server, protocol, port, connections, outcome in rows
    ]
    true = [{k: v for k, v in edge.items() if k != "counted_at"} for edge in ANSWER["edges"]]
    assert sort_edges(listed) == sort_edges(true)
    assert f"there are {sum(edge['connections'] for edge in true)} connections" in CARD


def test_objects_are_named_once_and_have_their_own_uid() -> None:
    metas = [{"kind": item["kind"], "namespace": None} | item["metadata"] for item in OBJECTS]
    for keys in (("kind", "namespace", "name"), ("uid",), ("resourceVersion",)):
        assert len({tuple(meta[key] for key in keys) for meta in metas}) == len(OBJECTS)


def test_namespaces_exist_and_carry_their_name() -> None:
    labels = {item["metadata"]["name"]: item["metadata"]["labels"] for item in NAMESPACES}
    used = {item["metadata"]["namespace"] for item in [*PODS, *SERVICES, *WORKLOADS]}
    assert used == set(labels) == {"default", "kube-system", "shop", "users"}
    assert all(carried["kubernetes.io/metadata.name"] == name for name, carried in labels.items())


def test_every_owner_exists_and_selects_what_it_owns() -> None:
    by_uid = {item["metadata"]["uid"]: item for item in WORKLOADS}
    owned = [item for item in [*PODS, *WORKLOADS] if "ownerReferences" in item["metadata"]]
    assert {item["metadata"]["name"] for item in PODS} <= {o["metadata"]["name"] for o in owned}
    for item in owned:
        (reference,) = item["metadata"]["ownerReferences"]
        owner = by_uid[reference["uid"]]
        assert (reference["kind"], reference["name"]) == (owner["kind"], owner["metadata"]["name"])
        assert owner["metadata"]["namespace"] == item["metadata"]["namespace"]
        labels = item["metadata"]["labels"].items()
        assert owner["spec"]["selector"]["matchLabels"].items() <= labels
        assert owner["spec"]["template"]["metadata"]["labels"].items() <= labels


def test_workloads_have_as_many_pods_as_they_say() -> None:
    tops = [item for item in WORKLOADS if "ownerReferences" not in item["metadata"]]
    said = {name_workload(item): item["spec"]["replicas"] for item in tops}
    assert said == Counter(name_workload(pod) for pod in PODS)


def test_pods_hold_one_address_each_in_the_range_of_their_node() -> None:
    nodes = {node["metadata"]["name"]: node for node in NODE_OBJECTS}
    assert len(HOLDERS) == len(PODS) == 6
    for pod in PODS:
        status, node = pod["status"], nodes[pod["spec"]["nodeName"]]
        assert name_node(status["podIP"]) == node["metadata"]["name"]
        assert status["podIPs"] == [{"ip": status["podIP"]}]
        assert status["hostIPs"] == [{"ip": status["hostIP"]}]
        assert {"type": "InternalIP", "address": status["hostIP"]} in node["status"]["addresses"]


def test_pods_run_before_the_first_record() -> None:
    first = min(row["ts"] for node in NODES for row in read_rows(node))
    assert first == datetime(2026, 11, 23, 5, 45, 26, 880462, tzinfo=UTC)
    for pod in PODS:
        assert pod["status"]["phase"] == "Running"
        assert datetime.fromisoformat(pod["status"]["startTime"]) < first


def test_services_select_the_pods_meant_on_a_port_they_declare() -> None:
    meant = {"web": "shop/web", "api": "shop/api", "db": "shop/db"}
    meant |= {"kube-dns": "kube-system/coredns"}
    for name, workload in meant.items():
        (service,) = [item for item in SERVICES if item["metadata"]["name"] == name]
        assert select_backends(service) == {workload}
        (container,) = next(p for p in PODS if name_workload(p) == workload)["spec"]["containers"]
        listed = {
            (p["protocol"], p[k]) for p in container["ports"] for k in ("name", "containerPort")
        }
        for port in service["spec"]["ports"]:
            assert {(port["protocol"], port[k]) for k in ("port", "targetPort")} <= listed
    assert [s["metadata"]["name"] for s in SERVICES if "selector" not in s["spec"]] == [
        "kubernetes"
    ]


def test_records_ask_for_the_services_of_the_cluster() -> None:
    services = {service["spec"]["clusterIP"]: service for service in SERVICES}
    rows = [row for node in NODES for row in read_rows(node)]
    translated = [row for row in rows if row["orig_dst"] != row["reply_src"]]
    assert {row["orig_dst"] for row in translated} == set(services) - {"10.96.0.1"}
    for row in translated:
        service = services[row["orig_dst"]]
        assert row["orig_dport"] in [port["port"] for port in service["spec"]["ports"]]
        assert select_backends(service) == {HOLDERS[row["reply_src"]]}


def test_the_edges_are_those_of_the_records() -> None:
    assert sort_edges(count_edges()) == sort_edges(ANSWER["edges"])


def test_answered_selectors_pick_exactly_the_workload_named() -> None:
    for name, subject in ANSWER["subjects"].items():
        namespace = name.split("/")[0]
        assert select_pods(subject["podSelector"], namespace) == {name}
        for direction in ("ingress", "egress"):
            for rule in subject[direction].get("rules", []):
                for peer in rule["peers"]:
                    spaces = peer.get("namespaceSelector", {}).get("matchLabels", {})
                    space = spaces.get("kubernetes.io/metadata.name", namespace)
                    assert (space != namespace) == bool(spaces)
                    assert select_pods(peer["podSelector"], space) == {peer["workload"]}


def test_every_learned_rule_has_an_answered_edge_and_every_edge_its_rules() -> None:
    pods = {*ANSWER["subjects"], *ANSWER["not_subjects"]}
    seen = {
        (edge["client"], edge["server"], edge["protocol"], edge["port"])
        for edge in ANSWER["edges"]
        if edge["outcome"] == "answered" and edge["port"] and edge["server"] in pods
    }
    learned: dict[str, set[tuple[Any, ...]]] = {"ingress": set(), "egress": set()}
    for name, subject in ANSWER["subjects"].items():
        for direction, pairs in learned.items():
            for rule in subject[direction].get("rules", []):
                (peer,) = rule["peers"]
                ends = (name, peer["workload"])
                ends = ends if direction == "egress" else ends[::-1]
                ports = [(port["protocol"], port["port"]) for port in rule["ports"]]
                assert rule["declared"] == (ends[1] == "kube-system/coredns")
                pairs |= {(*ends, *port) for port in ports if not rule["declared"]}
    inside = {pair for pair in seen if pair[1] != "kube-system/coredns"}
    assert learned == {"ingress": inside, "egress": inside}


def test_directions_without_evidence_get_no_policy() -> None:
    edges = ANSWER["edges"]
    for name, subject in ANSWER["subjects"].items():
        opened = [edge for edge in edges if edge["client"] == name]
        met = [edge for edge in edges if edge["server"] == name and edge["port"]]
        assert (subject["egress"]["state"] == "none") == (not opened)
        assert (subject["ingress"]["state"] == "none") == (not met)


def test_only_the_undeclared_external_address_is_a_question() -> None:
    subjects = ANSWER["subjects"].items()
    pending = [(n, d) for n, s in subjects for d in s if s[d].get("state") == "pending"]
    assert pending == [("shop/api", "egress")]
    (question,) = ANSWER["subjects"]["shop/api"]["egress"]["questions"]
    assert question.items() <= next(e for e in ANSWER["edges"] if e["port"] == 443).items()


def test_what_must_be_denied_is_denied_on_the_side_named() -> None:
    for pair in ANSWER["denied"]:
        assert find_denying(pair) == pair["denied_by"], pair
    meant = {("users/client", "shop/api"), ("users/client", "shop/db"), ("shop/web", "shop/db")}
    assert meant <= {(pair["client"], pair["server"]) for pair in ANSWER["denied"]}


def test_what_stays_open_and_what_was_answered_is_not_denied() -> None:
    answered = [e for e in ANSWER["edges"] if e["outcome"] == "answered" and e["port"]]
    assert [pair for pair in [*ANSWER["still_open"], *answered] if find_denying(pair)] == []

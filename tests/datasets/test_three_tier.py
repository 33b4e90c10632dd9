"""The three-tier data set says the same thing in all its files. Nothing here uses synth."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.recorder.conntrack_parquet import SCHEMA, export, parse_line, read_events
from tests.datasets.recording import (
    FOLDER,
    NODES,
    Held,
    Row,
    events_of,
    find_workload,
    holds,
    own_ranges,
    print_line,
    read_holds,
    read_items,
    read_json,
    read_lines,
    read_rows,
    read_vpc,
    read_watch,
    seconds,
)

if TYPE_CHECKING:
    from pathlib import Path

ANSWER: Row = read_json("answer.json")
TRUTH: Row = read_json("recording.json")
CARD = (FOLDER / "README.md").read_text()
HOLDS = read_holds()
OUTSIDE = {
    "alice": "198.51.100.11",
    "bob": "198.51.100.12",
    "carol": "198.51.100.13",
    "payment.example.com": "203.0.113.10",
}
"""Names outside the cluster, as the truth tells them, and their addresses."""
NODE_PORTS = {30080: 80, 30081: 8080}
CONTACTS = r"^\| `?([^`|]+?)`? \| `?([^`|]+?)`? \| (\w+) (\w+) \| (\d+)[^|]* \| (\w+) \|$"
ENDS = ("client", "server", "protocol", "port", "outcome")


def name_end(end: str) -> str:
    """Return one end of a contact of the truth as the answer calls it."""
    held = {address: one.workload for one in HOLDS for address in one.addresses}
    return held.get(end, OUTSIDE.get(end, end.replace("node/", "node ")))


def count_truth() -> Counter[tuple[Any, ...]]:
    """Return the contacts that were really made, by client, server, protocol, port, outcome."""
    return Counter(
        (
            *(name_end(one[end]) for end in ("client", "server")),
            one["protocol"],
            NODE_PORTS.get(one["port"], one["port"]),
            one["outcome"],
        )
        for one in TRUTH["contacts"]
    )


def answered_contacts() -> Counter[tuple[Any, ...]]:
    """Return the same of the answer, its scan included."""
    scan = ANSWER["scan"]
    counts = Counter(
        {tuple(edge[end] for end in ENDS): edge["contacts"] for edge in ANSWER["edges"]}
    )
    for server in scan["servers"]:
        for port in range(scan["ports"][0], scan["ports"][1] + 1):
            counts[scan["client"], server, scan["protocol"], port, scan["outcome"]] += 1
    assert sum(one["contacts"] for one in [*ANSWER["edges"], scan]) == counts.total()
    return counts


class TestConntrack:
    @pytest.mark.parametrize("node", NODES)
    def test_parquet_holds_the_records_of_the_text_in_order(self, node: str) -> None:
        assert pq.read_schema(FOLDER / "flows" / "parquet" / f"{node}.parquet") == SCHEMA
        assert read_rows(node) == read_events(events_of(node))

    @pytest.mark.parametrize("node", NODES)
    def test_rows_print_back_to_the_lines(self, node: str) -> None:
        lines = [" ".join(line.split()) for line in read_lines(node)]
        assert [print_line(row) for row in read_rows(node)] == lines

    @pytest.mark.parametrize("node", NODES)
    def test_icmp_rows_have_no_ports_and_other_rows_no_type(self, node: str) -> None:
        ports = {"orig_sport", "orig_dport", "reply_sport", "reply_dport"}
        icmp = {"icmp_type", "icmp_code", "icmp_id"}
        for row in read_rows(node):
            null = {name for name in ports | icmp if row[name] is None}
            assert null == (ports if row["proto"] == 1 else icmp)
        pings = [row for row in read_rows(node) if row["proto"] == 1]
        assert {(p["icmp_type"], p["icmp_code"]) for p in pings} == {(8, 0)}

    @pytest.mark.parametrize("node", NODES)
    def test_export_writes_the_same_bytes(self, node: str, tmp_path: Path) -> None:
        stored = FOLDER / "flows" / "parquet" / f"{node}.parquet"
        export(events_of(node), tmp_path / "first")
        export(events_of(node), tmp_path / "second")
        first = (tmp_path / "first").read_bytes()
        assert (tmp_path / "second").read_bytes() == first
        # Another release of pyarrow writes another name into the file.
        if pq.read_metadata(stored).created_by.endswith(f" {pa.__version__}"):
            assert stored.read_bytes() == first

    @pytest.mark.parametrize("cut", [r" id=\d+$", r"sport=\d+ ", r"\[NEW\]", r"src=\S+ "])
    def test_export_refuses_what_it_does_not_understand(self, cut: str) -> None:
        line = read_lines("node1")[0]
        damaged = re.sub(cut, "", line, count=1)
        assert damaged != line
        with pytest.raises(ValueError, match="not a conntrack event"):
            parse_line(damaged, "node1")

    @pytest.mark.parametrize("node", NODES)
    def test_what_is_still_tracked_at_the_end_was_not_told_to_have_ended(self, node: str) -> None:
        events = read_events(events_of(node))
        ended = {row["ct_id"] for row in events if row["event"] == "destroy"}
        begun = {row["ct_id"] for row in events if row["event"] == "new"}
        table = (FOLDER / "flows" / "tables" / f"{node}.table.txt").read_text().splitlines()
        tracked = {int(line.rsplit("id=", 1)[1]) for line in table}
        assert not tracked & ended
        assert begun - ended <= tracked

    @pytest.mark.parametrize("node", NODES)
    def test_records_are_of_one_minute_in_order(self, node: str) -> None:
        times = [row["ts"].timestamp() for row in read_rows(node)]
        assert times == sorted(times)
        assert seconds(TRUTH["began"]) < times[0] < times[-1] < seconds(TRUTH["ended"]) + 1
        assert times[-1] - times[0] < 60


class TestObjects:
    """The cluster's objects, against what ran."""

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_objects_are_named_once_and_have_their_own_uid(self, when: str) -> None:
        kinds = ("pods", "services", "nodes", "namespaces", "workloads")
        objects = [one for kind in kinds for one in read_items(when, kind)]
        metas = [{"kind": one["kind"], "namespace": None} | one["metadata"] for one in objects]
        for keys in (("kind", "namespace", "name"), ("uid",)):
            assert len({tuple(meta[key] for key in keys) for meta in metas}) == len(objects)

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_namespaces_exist_and_carry_their_name(self, when: str) -> None:
        labels = {
            one["metadata"]["name"]: one["metadata"]["labels"]
            for one in read_items(when, "namespaces")
        }
        kinds = ("pods", "services", "workloads")
        used = {one["metadata"]["namespace"] for kind in kinds for one in read_items(when, kind)}
        assert used <= set(labels)
        assert all(held["kubernetes.io/metadata.name"] == name for name, held in labels.items())

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_every_pod_belongs_to_a_workload_that_exists(self, when: str) -> None:
        owners = {one["metadata"]["uid"]: one for one in read_items(when, "workloads")}
        roles = {*ANSWER["subjects"], *ANSWER["not_subjects"]}
        found = {find_workload(pod, owners) for pod in read_items(when, "pods")}
        assert found == (roles if when == "after" else roles - {"shop/report"})

    def test_the_stream_begins_with_the_first_snapshot_and_ends_as_the_last(self) -> None:
        before, after = (read_items(when, "pods") for when in ("before", "after"))
        events = read_watch()
        assert [event["object"] for event in events[: len(before)]] == before
        state: dict[str, Row] = {}
        for event in events:
            uid = event["object"]["metadata"]["uid"]
            state.pop(uid, None)
            if event["type"] != "DELETED":
                state[uid] = event["object"]
        assert state == {pod["metadata"]["uid"]: pod for pod in after}

    def test_pods_hold_addresses_in_the_ranges_of_their_node(self) -> None:
        for one in HOLDS:
            assert len(one.addresses) == 2
            assert all(holds(own_ranges(one.node), address) for address in one.addresses)

    def test_every_contact_was_made_by_a_pod_that_ran_then(self) -> None:
        names = {one.name: one for one in HOLDS}
        made = [one for one in TRUTH["contacts"] if one["pod"]]
        assert len(made) > 400
        for contact in made:
            pod = names[contact["pod"]]
            assert pod.workload == contact["client"]
            assert pod.start <= seconds(contact["at"]) < pod.end

    def test_every_server_is_a_workload_a_name_outside_or_an_address(self) -> None:
        known = {one.workload for one in HOLDS} | set(OUTSIDE)
        rest = {one["server"] for one in TRUTH["contacts"]} - known
        assert rest == {"10.244.1.12", "10.244.2.99"}
        assert all(one["address"] for one in TRUTH["contacts"] if one["server"] in rest)

    def test_the_address_changed_hands_within_seconds(self) -> None:
        change = ANSWER["hand_over"]
        held = sorted((one for one in HOLDS if change["address"] in one.addresses), key=start_of)
        assert [one.workload for one in held] == [change["from"], change["to"]]
        gone, came = held[0].end, held[1].start
        assert gone <= came < gone + 5

    def test_services_select_pods_on_a_port_they_declare(self) -> None:
        pods = read_items("before", "pods")
        for service in read_items("before", "services"):
            chosen = [pod for pod in pods if selects(service, pod)]
            assert chosen, service["metadata"]["name"]
            for port in service["spec"]["ports"]:
                for pod in chosen:
                    boxes = [p for box in pod["spec"]["containers"] for p in box["ports"]]
                    declared = [(p["protocol"], p["containerPort"]) for p in boxes]
                    assert (port["protocol"], port["targetPort"]) in declared

    def test_the_policies_of_the_node_ports_are_those_told(self) -> None:
        services = {one["metadata"]["name"]: one["spec"] for one in read_items("after", "services")}
        kept = {name: services[name]["externalTrafficPolicy"] for name in ("web", "admin")}
        assert kept == {"web": "Local", "admin": "Cluster"}
        ports = {
            port["nodePort"]: port["port"] for name in kept for port in services[name]["ports"]
        }
        assert ports == NODE_PORTS


def start_of(hold: Held) -> float:
    """Return when the pod began to hold its addresses."""
    return hold.start


def selects(service: Row, pod: Row) -> bool:
    """Return whether the Service stands for the pod."""
    same = service["metadata"]["namespace"] == pod["metadata"]["namespace"]
    wanted: dict[str, str] = service["spec"]["selector"]
    return bool(same and wanted.items() <= pod["metadata"]["labels"].items())


class TestAnswer:
    """The answer, against the contacts that the programs say they made, and what was recorded."""

    def test_the_edges_are_the_contacts_that_were_made(self) -> None:
        assert answered_contacts() == count_truth()

    def test_every_tcp_contact_is_a_connection_of_the_records(self) -> None:
        truth = {key: count for key, count in count_truth().items() if key[2] == "TCP"}
        assert count_connections() == truth

    def test_selectors_pick_exactly_the_workload_named(self) -> None:
        for name, subject in ANSWER["subjects"].items():
            namespace = name.split("/")[0]
            assert pick(subject["podSelector"], namespace) == {name}
            for direction in ("ingress", "egress"):
                for rule in subject[direction]["rules"]:
                    for peer in (one for one in rule["peers"] if "podSelector" in one):
                        spaces = peer.get("namespaceSelector", {}).get("matchLabels", {})
                        space = spaces.get("kubernetes.io/metadata.name", namespace)
                        assert (space != namespace) == bool(spaces)
                        assert pick(peer["podSelector"], space) == {peer["workload"]}

    def test_every_learned_rule_has_an_answered_contact_and_the_reverse(self) -> None:
        learned: dict[str, set[tuple[Any, ...]]] = {"ingress": set(), "egress": set()}
        for name, subject in ANSWER["subjects"].items():
            for direction, pairs in learned.items():
                for rule in subject[direction]["rules"]:
                    if not rule["declared"]:
                        (peer,), (port,) = rule["peers"], rule["ports"]
                        ends = (name, peer["workload"])
                        ends = ends if direction == "egress" else ends[::-1]
                        pairs.add((*ends, port["protocol"], port["port"]))
        refused = {(q["client"], q["server"], "TCP", q["port"]) for q in ANSWER["questions"]}
        subjects = set(ANSWER["subjects"])
        made = {
            tuple(edge[end] for end in ENDS[:4])
            for edge in ANSWER["edges"]
            if edge["outcome"] == "answered" and edge["protocol"] == "TCP"
        } - refused
        assert learned["ingress"] == {one for one in made if {*one[:2]} <= subjects}
        to_dns = {one for one in made if one[1] in ANSWER["not_subjects"]}
        assert learned["egress"] == {one for one in made if one[0] in subjects} - to_dns

    def test_each_direction_is_told_for_each_format(self) -> None:
        words = ("without_answers", "with_answers", "reasons")
        for subject in ANSWER["subjects"].values():
            for direction in ("ingress", "egress"):
                for name in ("conntrack", "vpc"):
                    found = subject[direction][name]
                    assert tuple(found) == words
                    assert {found[one] for one in words[:2]} <= {"ready", "pending", "none"}
                    assert set(found["reasons"]) <= set(ANSWER["reasons"])
                    ready = found["with_answers"] == found["without_answers"] == "ready"
                    assert bool(found["reasons"]) != ready


def pick(selector: Row, namespace: str) -> set[str]:
    """Return the workloads whose pods the selector picks, of all that ever ran."""
    owners = {one["metadata"]["uid"]: one for one in read_items("after", "workloads")}
    return {
        find_workload(event["object"], owners)
        for event in read_watch()
        if event["object"]["metadata"]["namespace"] == namespace
        and selector["matchLabels"].items() <= event["object"]["metadata"]["labels"].items()
    }


def count_connections() -> dict[tuple[Any, ...], int]:
    """Return the TCP connections of the event logs, each counted at one node, by its ends."""
    rows: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for node in NODES:
        for row in read_events(events_of(node)):
            if row["proto"] == 6:
                rows[node, row["ct_id"]].append(row)
    counts: Counter[tuple[Any, ...]] = Counter()
    for (node, _), told in rows.items():
        if counted_at(node, told[0]):
            first, time = told[0], told[0]["ts"].timestamp()
            ends = (name_holder(first[f"{side}_src"], time) for side in ("orig", "reply"))
            counts[*ends, "TCP", first["reply_sport"], judge_outcome(told)] += 1
    return dict(counts)


def counted_at(node: str, row: Row) -> bool:
    """Return whether the node is the one at which the connection is counted.

    That is the first node of who comes from outside, or is a node; else the server's node, or
    the client's where no pod is the server.
    """
    own, client, server = own_ranges(node), row["orig_src"], row["reply_src"]
    pods = {address for one in HOLDS for address in one.addresses}
    if client in OUTSIDE.values():
        return True
    return holds(own, server if client in pods and server in pods else client)


def name_holder(address: str, time: float) -> str:
    """Return who held the address then."""
    for one in HOLDS:
        if address in one.addresses and one.start <= time < one.end:
            return one.workload
    nodes = {f"node {node}": own_ranges(node)[:2] for node in NODES}
    return next((name for name, own in nodes.items() if holds(own, address)), address)


def judge_outcome(rows: list[Row]) -> str:
    """Return the outcome of one connection, from all its rows at one node."""
    if any(not row["unreplied"] for row in rows):
        return "answered"
    last = rows[-1]
    refused = last["event"] == "destroy" and last["tcp_state"] == "CLOSE" and last["reply_packets"]
    return "refused" if refused else "unanswered"


class TestCard:
    def test_it_counts_the_records(self) -> None:
        words = ("[NEW]", "[UPDATE]", "[DESTROY]", " tcp ", " udp ", " icmp ")
        for node in NODES:
            text = "\n".join(read_lines(node))
            counts = [len(read_lines(node)), *(text.count(word) for word in words)]
            told = " | ".join(f"{count:,}" for count in counts)
            assert f"| {node} | {told} |" in CARD
        assert f"{len(read_vpc()):,} VPC flow log records" in CARD

    def test_it_counts_the_contacts(self) -> None:
        listed = {
            (client, server, protocol, int(port) if port.isdigit() else None, outcome): int(count)
            for client, server, protocol, port, count, outcome in re.findall(
                CONTACTS, CARD, re.MULTILINE
            )
        }
        assert listed == {tuple(e[end] for end in ENDS): e["contacts"] for e in ANSWER["edges"]}
        assert f"{len(TRUTH['contacts'])} contacts" in CARD

    def test_it_is_a_few_megabytes(self) -> None:
        size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
        assert size < 4_000_000

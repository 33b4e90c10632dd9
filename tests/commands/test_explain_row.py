"""Every record of a capture, followed one by one, against the ledger and edges of the whole."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from synth.commands.capture import Capture, Logs, read_capture
from synth.commands.cluster import Cluster, open_cluster
from synth.commands.explain_reading import Reading
from synth.commands.explain_row import RowRequest, answer_row, explain_row, trace
from synth.commands.record_at import Found, find_record
from synth.edges.fold import fold
from synth.edges.schema import KEY
from synth.errors import InputError, UsageError
from synth.flows import FlowBatch
from synth.inventory.listeners import listeners
from synth.inventory.model import Ranges
from synth.learner.learn import Choices, learn
from synth.learner.model import Screen, Screening
from synth.ledger import Ledger
from synth.proof.explained import RecordAnswer
from synth.proof.matrix import screening_ledger
from synth.reports import explain_row as report
from synth.reports.text import to_text
from synth.sources import load
from synth.sources.files import find_files
from synth.sources.sniff import units
from tests.made import connection, pod, write_cluster

ROOT = Path(__file__).parent.parent.parent
THREE_TIER = ROOT / "datasets" / "three-tier"
GOLDEN = ROOT / "tests" / "golden"
SMALL = GOLDEN / "client-to-db"
CASES = {
    "text": (SMALL / "flows", SMALL / "cluster"),
    "parquet": (SMALL / "parquet", SMALL / "cluster"),
    "three-tier": (THREE_TIER / "flows" / "conntrack", THREE_TIER / "cluster"),
    "vpc": (GOLDEN / "vpc-three-tier" / "flows", GOLDEN / "vpc-three-tier" / "cluster"),
    "handover": (GOLDEN / "address-handover" / "flows", GOLDEN / "address-handover" / "cluster"),
    "scan": (GOLDEN / "scan-and-refused" / "flows", GOLDEN / "scan-and-refused" / "cluster"),
}


SAMPLED = 23
"""Of the kept records, every so many are found in the file by their number."""


def silent(_step: str, _done: int, _total: int) -> None:
    """Do nothing."""


def open_case(name: str) -> tuple[tuple[str, ...], Cluster, Capture, Screening]:
    flows, cluster_files = CASES[name]
    cluster = open_cluster([str(cluster_files)], Ranges(), None)
    capture = read_capture(Logs((str(flows),)), cluster.inventory, silent)
    screening = learn(capture.settled, cluster.inventory, Choices()).screening
    return find_files([str(flows)]), cluster, capture, screening


def numbers_of(path: str) -> Sequence[int]:
    """Return the numbers of the file's records, whatever became of them."""
    if path.endswith(".parquet"):
        rows = sum(batch.records for one in units([path]) for batch in load(one.source).read(one))
        return range(1, rows + 1)
    lines = Path(path).read_text().splitlines()
    headers = ("version", "account-id")
    return [at for at, line in enumerate(lines, 1) if line.strip() and not line.startswith(headers)]


def every_record(paths: Sequence[str]) -> Iterator[Found]:
    """Yield every record as ``find_record`` finds it, reading kept ones only once."""
    for path in paths:
        kept: dict[int, FlowBatch] = {}
        for unit in units([path]):
            for batch in load(unit.source).read(unit):
                for at, number in enumerate(batch.table["row"].to_pylist()):
                    table = batch.table.slice(at, 1)
                    opened = None if batch.opened is None else batch.opened.slice(at, 1)
                    kept[number] = replace(batch, table=table, skipped=Ledger(), opened=opened)
        for number in numbers_of(path):
            if number in kept and number % SAMPLED:
                yield Found(path, number, "", "", batch=kept[number])
            else:
                found = find_record(path, number, None, ())
                assert (found.batch is not None) == (number in kept)
                yield found


@pytest.mark.parametrize("name", CASES)
def test_the_records_one_by_one_add_up_to_the_whole(name: str) -> None:
    paths, cluster, capture, screening = open_case(name)
    declared = listeners(cluster.inventory)
    outcomes: Counter[str] = Counter()
    by_edge: Counter[int] = Counter()
    known: dict[object, int] = {}
    for found in every_record(paths):
        if found.batch is None:
            outcomes[found.skipped] += 1
            continue
        alone = fold(found.batch, cluster.inventory, declared)
        key = (alone.endpoints, *(alone.columns[name].tobytes() for name in KEY))
        if key not in known:
            known[key] = trace(alone, capture)
        by_edge[known[key]] += 1
        outcomes[Screen(int(screening.status[known[key]])).word] += 1
    assert dict(by_edge) == dict(enumerate(capture.settled.records.tolist()))
    ledger = screening_ledger(capture.settled, screening, capture.skipped)
    assert outcomes == Counter(ledger.counts)


def test_records_that_the_whole_capture_orients_are_followed(tmp_path: Path) -> None:
    """Without flags, only the capture tells who opened; one pair stays undecided."""
    web, db = pod("shop/web", {"app": "web"}, "10.1.1.1"), pod("shop/db", {"app": "db"}, "10.1.2.1")
    files = write_cluster(tmp_path / "cluster", web, db)
    names = "version srcaddr dstaddr srcport dstport protocol packets bytes start end action"
    pairs = [(40_000, 3306), (40_001, 3306), (40_002, 3306), (41_000, 42_000)]
    lines = []
    for client, server in pairs:
        times = "6 5 900 1772442000 1772442001 ACCEPT"
        lines.append(f"2 10.1.1.1 10.1.2.1 {client} {server} {times}")
        lines.append(f"2 10.1.2.1 10.1.1.1 {server} {client} {times}")
    path = tmp_path / "a.log"
    path.write_text("\n".join([names, *lines, ""]))
    cluster = open_cluster([str(files)], Ranges(), None)
    capture = read_capture(Logs((str(path),)), cluster.inventory, silent)
    screening = learn(capture.settled, cluster.inventory, Choices()).screening
    told = []
    for number in range(2, len(lines) + 2):
        found = find_record(str(path), number, None, ())
        answer = answer_row(found, "a.log", capture, cluster, screening)
        assert answer.own_rung == 0
        told.append((answer.told, bool(answer.rungs)))
    assert told == [
        *6 * [("shop/web → shop/db TCP 3306", True)],
        *2 * [("shop/db ↔ shop/web TCP ports 42000 and 41000", False)],
    ]


@pytest.mark.parametrize("name", ["text", "parquet", "vpc"])
def test_the_example_of_every_edge_and_of_every_outcome_leads_back(name: str) -> None:
    _, cluster, capture, screening = open_case(name)
    for row in range(len(capture.settled)):
        file, number = capture.settled.example_of(row)
        answer = answer_row(find_record(file, number, None, ()), file, capture, cluster, screening)
        assert answer.edge["records"] == capture.settled.records[row]
        assert answer.told
        assert answer.reason == screening.reason_of(row)
    for outcome, examples in capture.skipped.examples.items():
        for one in examples:
            found = find_record(one.file, one.row, None, ())
            assert (found.skipped, found.batch) == (outcome, None)
            assert found.text.startswith(one.text) or name == "parquet"


def ask(file: str, row: int, *flows: str, name: str = "text", **more: object) -> RecordAnswer:
    reading = Reading(flows, (str(CASES[name][1]),))
    return explain_row(RowRequest(file, row, replace(reading, **more)), silent)  # type: ignore[arg-type]


def test_a_file_is_named_as_reports_name_it() -> None:
    flows = str(CASES["text"][0])
    short = ask("node1.events.txt", 10, flows)
    whole = ask(f"{flows}/node1.events.txt", 10, flows)
    assert (short.edge, short.told) == (whole.edge, whole.told)
    with pytest.raises(UsageError, match=r"no file"):
        ask("node9.events.txt", 1, flows)


def test_alone_the_file_is_the_capture() -> None:
    flows = str(CASES["text"][0])
    alone, among = ask(f"{flows}/node1.events.txt", 10), ask("node1.events.txt", 10, flows)
    assert int(str(alone.edge["records"])) < int(str(among.edge["records"]))


def test_compressed_logs_have_the_same_numbers(tmp_path: Path) -> None:
    plain = CASES["text"][0] / "node1.events.txt"
    packed = tmp_path / "node1.events.txt.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for row in (1, 10, 482, 591):
        one, other = ask(str(plain), row), ask(str(packed), row)
        assert (one.text, one.says, one.skipped) == (other.text, other.says, other.skipped)
        assert one.told == other.told


@pytest.mark.parametrize(("row", "got"), [(0, "0"), (592, "592")])
def test_there_is_no_such_line(row: int, got: str) -> None:
    with pytest.raises(InputError, match=rf"a line of 1 to 591\. Got {got}"):
        ask(str(CASES["text"][0] / "node1.events.txt"), row)


def test_there_is_no_such_row() -> None:
    with pytest.raises(InputError, match="a row of 1 to 591"):
        ask(str(CASES["parquet"][0] / "node1.parquet"), 592)


def test_a_header_and_an_empty_line_are_no_records(tmp_path: Path) -> None:
    source = next(iter(sorted(CASES["vpc"][0].iterdir())))
    path = tmp_path / source.name
    path.write_text(source.read_text() + "\n\n")
    with pytest.raises(InputError, match="a header"):
        ask(str(path), 1, name="vpc")
    with pytest.raises(InputError, match="an empty line"):
        ask(str(path), len(source.read_text().splitlines()) + 1, name="vpc")


def test_a_later_header_is_the_one_that_counts(tmp_path: Path) -> None:
    names = "version srcaddr dstaddr srcport dstport protocol packets bytes start end action"
    turned = "version dstaddr srcaddr dstport srcport protocol packets bytes start end action"
    line = "2 10.0.0.1 10.0.0.2 40000 80 6 1 60 1764000000 1764000001 ACCEPT"
    bad = line.replace("80", "99999")
    path = tmp_path / "a.log"
    path.write_text(f"{names}\n{line}\n{turned}\n{line}\n{bad}\n")
    first, second, third = (find_record(str(path), row, None, ()) for row in (2, 4, 5))
    assert first.batch is not None
    assert second.batch is not None
    assert first.batch.table["src_port"].to_pylist() == [40000]
    assert second.batch.table["src_port"].to_pylist() == [80]
    assert third.skipped == "malformed: port not 0 to 65535"


def test_stored_edges_hold_no_records(tmp_path: Path) -> None:
    from synth.edges.parquet import write_edges

    _, cluster, capture, _ = open_case("text")
    path = tmp_path / "edges.parquet"
    write_edges(capture.folded, capture.skipped, path)
    assert cluster.inventory.pods
    with pytest.raises(InputError, match="stored edges"):
        ask(str(path), 1)


def test_who_held_an_address_is_told_with_candidates() -> None:
    _, cluster, capture, screening = open_case("handover")
    seen = set()
    for found in list(every_record(find_files([str(CASES["handover"][0])])))[::7]:
        answer = answer_row(found, found.path, capture, cluster, screening)
        for one in answer.held:
            seen.add(one.certainty)
            if one.certainty == "ambiguous":
                assert len(one.holders) > 1
                assert len(one.endpoint.candidates) > 1
    assert "exact" in seen


def test_pages_fit_and_values_are_json(tmp_path: Path) -> None:
    web = pod("shop/web", {"app": "web"}, "10.1.1.1")
    db = pod("shop/db", {"app": "db"}, "10.1.2.1", "n2", [3306])
    cluster = write_cluster(tmp_path / "cluster", web, db)
    log = tmp_path / "n1.events.txt"
    log.write_text(connection(1, "10.1.1.1", "10.1.2.1", 3306) + "[1.0]\t[NEW] nonsense\n")
    answers = [
        explain_row(RowRequest(str(log), row, Reading((), (str(cluster),))), silent)
        for row in (1, 2, 3)
    ]
    texts = [to_text(report.to_page(one)) for one in answers]
    for row, (answer, text) in enumerate(zip(answers, texts, strict=True), 1):
        assert all(len(line) <= 80 for line in text.splitlines() if "events.txt" not in line)
        values = json.loads(json.dumps(report.to_json(answer)))
        assert values["row"] == row
    assert answers[2].skipped == "malformed: unreadable line"
    assert "skipped: malformed: unreadable line" in texts[2]

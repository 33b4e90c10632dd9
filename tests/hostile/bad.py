"""Files that nobody should have to read, each made by one small function."""

import gzip
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.running import CLIENT_TO_DB

Make = Callable[[Path], object]

POD_LIST = json.loads((CLIENT_TO_DB.cluster / "pods.json").read_text())
CONNTRACK = CLIENT_TO_DB.logs[0]
PARQUET = CLIENT_TO_DB.flows.parent / "parquet/node1.parquet"
VPC_HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start "
    "end action log-status"
)
ACCESS_LOG = '203.0.113.7 - - [02/Mar/2026:09:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8"\n'
DEEP = 100_000


def write_text(text: str) -> Make:
    return lambda path: path.write_text(text)


def write_bytes(content: bytes) -> Make:
    return lambda path: path.write_bytes(content)


def write_loop(path: Path) -> None:
    """Make two links that lead to each other."""
    other = path.with_name(f"{path.name}.other")
    other.symlink_to(path.name)
    path.symlink_to(other.name)


def write_unreadable(path: Path) -> None:
    path.write_bytes(CONNTRACK.read_bytes())
    path.chmod(0)


def write_other_cluster(path: Path) -> None:
    """Write the pods of the three tiers under addresses that no log mentions."""
    path.write_text(json.dumps(POD_LIST).replace("10.244.", "10.9."))


def write_wide_label(path: Path) -> None:
    """Write the pods, one with a label of 10 MB."""
    pods = json.loads(json.dumps(POD_LIST))
    pods["items"][0]["metadata"]["labels"]["k8s-app"] = "x" * (10 << 20)
    path.write_text(json.dumps(pods))


def write_wrong_types(path: Path) -> None:
    """Write pods whose fields are of any kind but the right one."""
    pods: list[Any] = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": 3, "spec": [], "status": "x"},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": {}, "labels": ["a"]}},
        {"apiVersion": 1, "kind": {"a": 1}},
        None,
        7,
    ]
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))


def write_nothing(path: Path) -> None:
    assert not path.exists()


def write_prose(path: Path) -> None:
    """Make a folder that holds no log."""
    path.mkdir()
    (path / "README.md").write_text("Nothing here.\n")


def write_fifo(path: Path) -> None:
    os.mkfifo(path)


def write_wrong_columns(path: Path) -> None:
    pq.write_table(pa.table({"name": ["a", "b"], "colour": ["red", "blue"]}), path)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)

ANYWHERE: Mapping[str, Make] = {
    "junk.bin": write_bytes(bytes(range(256)) * 64),
    "nul.txt": write_bytes(bytes(4096)),
    "utf16.txt": write_bytes(CONNTRACK.read_text()[:2000].encode("utf-16")),
    "wrong.gz": write_bytes(b"\x1f\x8b\x08" + bytes(range(200))),
    "cut.gz": lambda path: path.write_bytes(gzip.compress(CONNTRACK.read_bytes())[:5000]),
    "deep.json": write_text("[" * DEEP + "]" * DEEP),
    "deep-object.json": write_text('{"items":' * DEEP + "1" + "}" * DEEP),
    "cut.parquet": lambda path: path.write_bytes(PARQUET.read_bytes()[:3000]),
    "columns.parquet": write_wrong_columns,
    "magic.parquet": write_bytes(b"PAR1" + bytes(100) + b"PAR1"),
    "loop": write_loop,
    "pipe": write_fifo,
    "empty-folder": lambda path: path.mkdir(),
    "unreadable": write_unreadable,
    "missing": write_nothing,
}
"""What is wrong wherever a file is asked for."""

FLOWS: Mapping[str, Make] = {
    **ANYWHERE,
    "empty.txt": write_text(""),
    "blank.txt": write_text("\n\n  \n"),
    "header.log": write_text(f"{VPC_HEADER}\n"),
    "twice.log": write_text(f"{VPC_HEADER} srcaddr\n2 1 eni-1 10.0.0.1 10.0.0.2\n"),
    "meaning.log": write_text(f"{VPC_HEADER} src_addr\n2 1 eni-1 10.0.0.1 10.0.0.2\n"),
    "wide.log": write_text(f"{VPC_HEADER} " + " ".join(f"x{n}" for n in range(10_000)) + "\n"),
    "no-ports.log": write_text("version account-id srcaddr dstaddr start end\n2 1 a b 1 2\n"),
    "access.log": write_text(ACCESS_LOG * 20),
    "long-line.txt": write_text("x" * (10 << 20)),
    "pods.json": write_text(json.dumps(POD_LIST)),
    "*.nothing": write_nothing,
    "no-logs": write_prose,
}

CLUSTER: Mapping[str, Make] = {
    **ANYWHERE,
    "empty.txt": write_text(""),
    "bomb.yaml": write_text(BOMB),
    "recursive.yaml": write_text("items: &a\n- *a\n"),
    "python.yaml": write_text("!!python/object/apply:os.system ['touch pwned']\n"),
    "cut.json": write_text(json.dumps(POD_LIST)[:4000]),
    "number.json": write_text("42"),
    "list.json": write_text("[]"),
    "no-pods.json": write_text('{"apiVersion": "v1", "kind": "List", "items": []}'),
    "wrong-types.json": write_wrong_types,
    "log.txt": write_text(CONNTRACK.read_text()),
    "table.txt": write_text("NAMESPACE   NAME   READY\nshop        web    1/1\n"),
}

POLICIES: Mapping[str, Make] = {
    **ANYWHERE,
    "bomb.yaml": write_text(BOMB),
    "recursive.yaml": write_text("spec: &a\n  x: *a\n"),
    "pods.json": write_text(json.dumps(POD_LIST)),
    "log.txt": write_text(CONNTRACK.read_text()),
    "spec.yaml": write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: 7\n"
    ),
    "port.yaml": write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n"
        "spec:\n  podSelector: {}\n  ingress:\n  - ports:\n    - port: 99999\n"
    ),
}

ANSWERS: Mapping[str, Make] = {
    **ANYWHERE,
    "bomb.yaml": write_text(BOMB),
    "word.yaml": write_text("- {key: ae40adbea64c, answer: perhaps}\n"),
    "twice.yaml": write_text("- {key: a, answer: accept}\n- {key: a, answer: refuse}\n"),
    "text.yaml": write_text("accept everything\n"),
    "no-key.yaml": write_text("- {answer: accept}\n"),
}

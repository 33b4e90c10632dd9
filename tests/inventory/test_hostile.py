"""Input that is broken, or meant to break the reader: one message, one line for each fault."""

from pathlib import Path
from typing import Any

import pytest

from synth.errors import Fault, InputError
from synth.inventory.read import MOST_FAULTS, read_cluster
from tests.inventory.objects import Object, listed, pod, service, workload, write


def faults_of(*paths: str) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        read_cluster(paths)
    assert all(len(str(fault)) < 600 for fault in caught.value.faults)
    return caught.value.faults


def faults_in(folder: Path, *objects: Object) -> list[str]:
    (path,) = write(folder, dump=listed(*objects))
    prefix = f"{path}: "
    return [
        f"{fault.place.removeprefix(prefix)}: {fault.expected}, not {fault.got}"
        for fault in faults_of(path)
    ]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.json", b"", "an empty file"),
        ("x.json", b" \r\n\t", "an empty file"),
        ("x.json", b"\xff\xfe\xfd\x00\x01", "bytes that are not utf-16"),
        ("x.json", b"\x80abc", "bytes that are not utf-8 (from byte 0)"),
        ("x.json", b'{"kind": "List", "items": [{"kind":', "Expecting value (JSON)"),
        ("x.json", b'{"kind": "Li', "Unterminated string starting at (JSON)"),
        ("x.json", b"[" * 200_000, "too deep a nesting"),
        ("x.json", b'{"kind": "Pod", "n": ' + b"1" * 5000 + b"}", "Exceeds the limit"),
        ("x.yaml", b"[" * 200_000, "too deep a nesting"),
        ("x.yaml", b"a: " + b"[" * 200_000, "a deeper one"),
        ("x.yaml", b"- " * 200_000 + b"a", "a deeper one"),
        ("x.yaml", BOMB.encode(), "aliases that swell without end"),
        ("x.yaml", b"a: &a [*a]", "aliases that swell without end"),
        ("x.yaml", b"kind: Pod\n  metadata: {", "(YAML)"),
        ("x.yaml", b"kind: !!python/object:os.system {}", "could not determine a constructor"),
        ("x.yaml", b"a: *nobody", "(YAML)"),
        ("x.yaml", b"? {a: 1}\n: b", "(YAML)"),
        ("x.yaml", b"a: \x07", "characters that YAML does not allow"),
        ("x.json", b"PAR1\x00\x01", "characters that YAML does not allow"),
    ],
)
def test_a_file_that_cannot_be_loaded(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    (fault,) = faults_of(str(path))
    assert fault.place.startswith(str(path))
    assert expected in fault.got


@pytest.mark.parametrize("content", ["5", '"text"', "null", "[1, 2]", '{"a": 1}', "just words"])
def test_a_file_of_something_else(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    assert faults_of(str(path))


def test_paths_that_hold_nothing_are_named_together(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = faults_of(str(tmp_path / "empty"), str(tmp_path / "missing"))
    assert [fault.got for fault in found] == ["a folder without any", "nothing there"]


def test_faults_of_several_files_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text("")
    assert len(faults_of(str(tmp_path))) == 2


def test_every_fault_of_a_file_is_told_with_its_place(tmp_path: Path) -> None:
    bad = pod("web-1", labels={})
    bad["status"] = {"podIP": 5, "podIPs": [{"ip": "10.0.0"}, 7], "startTime": "noon"}
    bad["metadata"]["labels"] = ["app"]
    bad["spec"]["containers"] = [{"ports": [{"containerPort": 70000}, {"containerPort": True}]}]
    long = "'" + "x" * 27 + "..." + "x" * 28 + "'"
    found = faults_in(tmp_path, bad, pod("api-1", labels={"app": "x" * 10_000_000}))
    assert sorted(found) == [
        f"Pod shop/api-1 metadata.labels.app: a label value, not {long}",
        "Pod shop/web-1 metadata.labels: a mapping, not ['app']",
        "Pod shop/web-1 spec.containers[0].ports[0].containerPort: a port of 1 to 65535, not 70000",
        "Pod shop/web-1 spec.containers[0].ports[1].containerPort: a port of 1 to 65535, not True",
        "Pod shop/web-1 status.podIP: a text, not 5",
        "Pod shop/web-1 status.podIPs[0].ip: an IP address, not '10.0.0'",
        "Pod shop/web-1 status.podIPs[1]: a mapping, not 7",
        "Pod shop/web-1 status.startTime: a time such as 2026-11-23T05:40:00Z, not 'noon'",
    ]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("metadata",), "text"),
        (("metadata", "name"), 7),
        (("metadata", "name"), "../../etc/passwd"),
        (("metadata", "name"), "a" * 254),
        (("metadata", "namespace"), "a/b"),
        (("metadata", "namespace"), ["shop"]),
        (("metadata", "labels"), {"a b": "c"}),
        (("metadata", "labels"), {"a": True}),
        (("metadata", "labels"), {"a": "line\nbreak"}),
        (("metadata", "ownerReferences"), {"kind": "Job"}),
        (("metadata", "ownerReferences"), [{"kind": "A/B", "name": "x"}]),
        (("metadata", "creationTimestamp"), 5),
        (("metadata", "creationTimestamp"), "2026-03-02"),
        (("metadata", "creationTimestamp"), "2026-03-02T12:00:00"),
        (("spec",), []),
        (("spec", "hostNetwork"), "yes"),
        (("spec", "containers"), {"a": 1}),
        (("spec", "containers"), [5]),
        (("spec", "containers"), [{"env": [{"value": 5}]}]),
        (("spec", "containers"), [{"args": "x"}]),
        (("spec", "containers"), [{"ports": [{"containerPort": 80, "protocol": "ICMP"}]}]),
        (("status", "phase"), {}),
        (("status", "podIP"), "fe80::1%eth0"),
        (("status", "podIP"), "010.0.0.1"),
        (("status", "hostIP"), "node1"),
    ],
)
def test_a_wrong_value_in_a_pod(tmp_path: Path, where: tuple[str, ...], value: Any) -> None:  # noqa: ANN401
    bad = pod("web-1", "10.0.0.7")
    here = bad
    for name in where[:-1]:
        here = here[name]
    here[where[-1]] = value
    assert faults_in(tmp_path, bad)


def test_wrong_values_in_other_kinds(tmp_path: Path) -> None:
    found = faults_in(
        tmp_path,
        service("web", {"port": "80"}, {"port": 80, "targetPort": 0.5}, ip="10.96"),
        workload("Deployment", "api", ports="80"),
        {"kind": "Deployment", "apiVersion": "apps/v1"},
        {"metadata": {"name": "x"}},
        {"kind": ["Pod"]},
    )
    assert len(found) == 9


def test_the_faults_of_one_file_are_capped(tmp_path: Path) -> None:
    pods = [pod(f"p{n}", "junk") for n in range(MOST_FAULTS)]
    found = faults_in(tmp_path, *pods)
    assert len(found) == MOST_FAULTS + 1
    assert found[-1].endswith(f"not {MOST_FAULTS} more")


def test_a_link_in_a_circle_ends(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere.json")
    (fault,) = faults_of(str(tmp_path))
    assert fault.expected == "a readable file"

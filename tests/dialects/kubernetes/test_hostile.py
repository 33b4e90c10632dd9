"""Whatever a file holds, the answer is an InputError that names the file, and soon."""

import os
from pathlib import Path

import pytest

from synth.dialects.kubernetes import documents, nodes, parse_policies, read_policies, yaml_values
from synth.errors import Fault, InputError
from tests.dialects.kubernetes.objects import faults_of, network_policy

HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n"


def faults_in(path: Path, content: bytes | str) -> tuple[Fault, ...]:
    """Return the faults of a file of this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        read_policies([path])
    except InputError as error:
        return error.faults
    return ()


BILLION = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{this}: &{this} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, this in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "line", "got"),
    [
        ("a: [", 2, "did not find expected node content"),
        ("a: b\n\tc: d\n", 2, "found a tab character that violates indentation"),
        ("\ta: b\n", 1, "found character that cannot start any token"),
        ("a: 1\nb: 2\na: 3\n", 3, "'a' again"),
        ("x: {a: 1, a: 1}", 1, "'a' again"),
        ("1: a\n1: b", 2, "1 again"),
        ("<<: {a: 1}\n<<: {b: 1}", 2, "'<<' again"),
        ("<<: [1]", 1, "another value"),
        ("<<: a", 1, "another value"),
        ("a: *b", 1, "*b"),
        ("a: &a [*a]", 1, "*a"),
        ("a: b: c", 1, "mapping values are not allowed in this context"),
        ("{{- if .x }}\na: b\n{{- end }}", 1, None),
        ("a: 'b", 1, "found unexpected end of stream"),
        ("--- a\n...\n%FOO\nb", 3, None),
        (b"\xff\xfea\x00:\x00", 1, "UTF-16"),
        (b"a: 1\nb: \xe9\n", 2, "byte 0xe9"),
        (b"\x00\x01\x02", 1, "control characters are not allowed"),
        (b"\x1f\x8b\x08\x00", 1, "byte 0x8b"),
        (b"a: \x1b[2J", 1, "control characters are not allowed"),
        ("[" * 5000, 1, "more"),
        ("a: " * 5000, 1, None),
        ("- " * 5000 + "a", 1, "more"),
        (BILLION, 5, "more"),
    ],
)
def test_yaml_that_cannot_be_read(
    tmp_path: Path, content: bytes | str, line: int, got: str | None
) -> None:
    path = tmp_path / "a.yaml"
    (fault,) = faults_in(path, content)
    assert fault.place == f"{path}:{line}"
    assert got is None or fault.got == got


@pytest.mark.parametrize(
    ("content", "line", "got"),
    [
        ("", None, None),
        ('{"a": NaN}', 1, "NaN, which JSON does not know"),
        ('{"a": -Infinity}', 1, "-Infinity, which JSON does not know"),
        ('{"a": 1, "a": 2}', 1, "the key 'a' twice in an object"),
        ('{"a":\n}', 2, "Expecting value"),
        ('{"a": 1} x', 1, "Expecting value"),
        ('{"a": "\t"}', 1, "Invalid control character at"),
        ('{"a":' * 200_000, 1, "deeper nesting than can be read"),
        ("{" * 200_000, 1, "Expecting property name enclosed in double quotes"),
        ('{"a": ' + "9" * 100_000 + "}", None, None),
        ("[" * 200_000, 1, "more"),
    ],
)
def test_json_that_cannot_be_read(
    tmp_path: Path, content: str, line: int | None, got: str | None
) -> None:
    path = tmp_path / "a.json"
    found = [(fault.place, fault.got) for fault in faults_in(path, content)]
    assert found == ([] if line is None else [(f"{path}:{line}", got)])


def test_json_in_a_yaml_file_is_judged_as_json_where_yaml_would_not_help(tmp_path: Path) -> None:
    (fault,) = faults_in(tmp_path / "a.yaml", '{"a": 1, "a": 2}')
    assert fault.expected == "JSON"


SPECS = [
    ("ingress: [{ports: [{port: 080}]}]", "ingress[0].ports[0].port", "080"),
    ("ingress: [{ports: [{port: 010}]}]", "ingress[0].ports[0].port", "010"),
    ("ingress: [{ports: [{port: 0x50}]}]", "ingress[0].ports[0].port", "0x50"),
    ("ingress: [{ports: [{port: 8_0}]}]", "ingress[0].ports[0].port", "8_0"),
    ("ingress: [{ports: [{port: 1e3}]}]", "ingress[0].ports[0].port", "1e3"),
    ("ingress: [{ports: [{port: 80.0}]}]", "ingress[0].ports[0].port", "80.0"),
    ("ingress: [{ports: [{port: .nan}]}]", "ingress[0].ports[0].port", ".nan"),
    ("ingress: [{ports: [{port: .inf}]}]", "ingress[0].ports[0].port", ".inf"),
    ("ingress: [{ports: [{port: !!float 80}]}]", "ingress[0].ports[0].port", "!!float 80"),
    ("ingress: [{ports: [{port: !!int x}]}]", "ingress[0].ports[0].port", "x"),
    ("ingress: [{ports: [{port: !!binary eA==}]}]", "ingress[0].ports[0].port", "!!binary eA=="),
    ("ingress: [{ports: [{port: !foo http}]}]", "ingress[0].ports[0].port", "!foo http"),
    ("podSelector: {matchLabels: {a: no}}", "podSelector.matchLabels[a]", "False"),
    ("podSelector: {matchLabels: {a: on}}", "podSelector.matchLabels[a]", "True"),
    ("podSelector: {matchLabels: {a: y}}", "podSelector.matchLabels[a]", "True"),
    ("podSelector: {matchLabels: {a: 1e3}}", "podSelector.matchLabels[a]", "1e3"),
    ("podSelector: {matchLabels: {a: 080}}", "podSelector.matchLabels[a]", "080"),
    ("podSelector: {matchLabels: {a: 1.10}}", "podSelector.matchLabels[a]", "1.10"),
    ("podSelector: {matchLabels: {a: ~}}", "podSelector.matchLabels[a]", "None"),
    ("podSelector: {matchLabels: {a: }}", "podSelector.matchLabels[a]", "None"),
    ("podSelector: {matchLabels: {no: a}}", "podSelector.matchLabels[False]", "False"),
    ("podSelector: {matchLabels: {~: a}}", "podSelector.matchLabels[None]", "None"),
    ("podSelector: {matchLabels: {? [a] : a}}",
     "podSelector.matchLabels[a list or mapping]", "a list or mapping"),
    (f"podSelector: {{matchLabels: {{a: {'9' * 26}}}}}", "podSelector.matchLabels[a]", "9" * 26),
    ("on: []", "", "True"),
    ("podSelector: !!set {a}", "podSelector", "'a'"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "path", "got"), SPECS)
def test_scalars_that_are_read_differently_are_refused(
    tmp_path: Path, spec: str, path: str, got: str
) -> None:
    file = tmp_path / "a.yaml"
    (fault,) = faults_in(file, f"{HEAD}spec: {{{spec}}}\n")
    assert fault.place == f"{file}: default/a spec.{path}".rstrip(".")
    assert fault.got == got


def test_quoted_scalars_are_text(tmp_path: Path) -> None:
    quoted = "a: 'no', b: \"1e3\", 'on': !!str 080, c: ! 5"
    text = f"{HEAD}spec: {{podSelector: {{matchLabels: {{{quoted}}}}}}}\n"
    assert faults_in(tmp_path / "a.yaml", text) == ()


def test_one_wrong_label_of_ten_megabytes_is_one_short_line() -> None:
    long = "x" * 10_000_000
    for document in (
        network_policy({"podSelector": {"matchLabels": {"a": long}}}),
        network_policy({"podSelector": {"matchLabels": {long: "a"}}}),
        network_policy({long: 1}),
        network_policy(labels={long: long}, name=long),
        network_policy({"podSelector": {"matchExpressions": [{"key": long, "operator": long}]}}),
        network_policy({"ingress": [{"from": [{"ipBlock": {"cidr": "1" * 10_000_000}}]}]}),
        network_policy({"ingress": [{"ports": [{"port": long}]}]}),
        {**network_policy(), "kind": f"{long}NetworkPolicy"},
    ):
        faults = faults_of(document)
        assert faults
        assert all(len(str(fault)) < 800 for fault in faults)


def test_huge_numbers_and_deep_values_are_shown_in_short() -> None:
    deep: object = "x"
    for _ in range(100_000):
        deep = [deep]
    document = network_policy({"podSelector": deep, "ingress": 10**10_000})
    with pytest.raises(InputError) as raised:
        parse_policies([document], "dump")
    assert [fault.got for fault in raised.value.faults] == ["[[[...]]]", "a huge number"]


def test_messages_hold_no_control_characters() -> None:
    faults = faults_of(
        network_policy({"\x1b[2J": 1}, name="\x1b[2J", labels={"\x1b": "\x1b", "b\n": "\r"})
    )
    assert len(faults) == 6
    assert all(str(fault).isprintable() for fault in faults)


def test_a_large_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LARGEST_FILE", 100)
    path = tmp_path / "a.yaml"
    assert faults_in(path, "#" * 100) == ()
    (fault,) = faults_in(path, "#" * 101)
    assert (fault.place, fault.expected) == (str(path), "a file of at most 100 bytes")


def test_aliases_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_values, "MOST_NODES_FROM_ALIASES", 6)
    path = tmp_path / "a.yaml"
    assert faults_in(path, "a: &a [x, y]\nb: [*a, *a]\n---\nc: &a x\nd: [*a, *a]") == ()
    (fault,) = faults_in(path, "a: &a [x, y]\nb: [*a, *a]\nc: &c x\nd: *c\n")
    assert fault.place == f"{path}:4"
    (fault,) = faults_in(path, "a: &a {x: y}\nb: [*a, *a,\n*a]\n")
    assert fault.place == f"{path}:3"


def test_nesting_up_to_the_limit(tmp_path: Path) -> None:
    most = yaml_values.MOST_NESTED
    path = tmp_path / "a.yaml"
    assert faults_in(path, "[" * most + "]" * most) == ()
    assert len(faults_in(path, "[" * (most + 1) + "]" * (most + 1))) == 1


def test_the_faults_kept_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "MOST_FAULTS", 3)
    ports = [{"port": 0}] * 5
    faults = faults_of(network_policy({"ingress": [{"ports": ports}]}))
    assert len(faults) == 4
    assert (faults[-1].place, faults[-1].got) == ("all files", "5")
    assert len(faults_of(network_policy({"ingress": [{"ports": ports[:3]}]}))) == 3


@pytest.mark.parametrize("name", ["missing.yaml", "missing/x.yaml", "a" * 300, "a\x00b"])
def test_a_path_that_leads_nowhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected a file or a folder") as raised:
        read_policies([tmp_path / name])
    assert raised.value.faults[0].place == str(tmp_path / name)


def test_loops_of_links_are_no_trap(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.yaml").symlink_to(tmp_path / "self.yaml")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    assert read_policies([tmp_path]).files == ()
    with pytest.raises(InputError):
        read_policies([tmp_path / "self.yaml"])


def test_a_pipe_is_refused_when_named_and_passed_over_in_a_folder(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    assert read_policies([tmp_path]).files == ()
    with pytest.raises(InputError, match="a pipe or a device"):  # it might never end
        read_policies([pipe])


def test_unreadable_files_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").touch()
    denied = PermissionError(13, "Permission denied", str(tmp_path))

    def refuse(*_: object, **__: object) -> object:
        raise denied

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with pytest.raises(InputError, match="readable file"):
            read_policies([tmp_path])
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match="readable folder"):
        read_policies([tmp_path])


def test_loaded_objects_of_any_type_are_refused_not_crashed_on() -> None:
    for value in (object(), {1, 2}, b"x", 1j, (1,), float("nan"), range(3)):
        with pytest.raises(InputError):
            parse_policies([network_policy(value)], "dump")

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from synth.edges.parquet import read_edges, read_terms
from synth.errors import UsageError
from synth.outputs import exchange, folder
from synth.outputs.folder import check_target, write_learned
from synth.policy import PolicySet
from tests.reports import sample


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def out(tmp_path: Path) -> Path:
    target = tmp_path / "learned"
    write_learned(sample.result(), target)
    return target


def test_files(out: Path) -> None:
    assert set(tree(out)) == {
        ".synth",
        "certificate.json",
        "edges.parquet",
        "evidence.json",
        "pending/shop/api.yaml",
        "policies/kustomization.yaml",
        "policies/shop/api.yaml",
        "policies/shop/db.yaml",
        "policies/shop/web.yaml",
        "quarantine.yaml",
        "report.html",
    }


def test_nothing_is_left_beside(out: Path) -> None:
    assert list(out.parent.iterdir()) == [out]


def test_same_result_same_bytes(out: Path) -> None:
    before = tree(out)
    write_learned(sample.result(), out.parent / "again")
    assert tree(out.parent / "again") == before


def test_edges_merge_with_tomorrows(out: Path) -> None:
    edges, skipped = read_edges(out / "edges.parquet")
    assert len(edges) == len(sample.ROWS)
    assert skipped == sample.SKIPPED
    assert read_terms(out / "edges.parquet") == sample.result().terms


def test_the_certificate_says_what_is_needed(out: Path) -> None:
    found = json.loads((out / "certificate.json").read_text())
    assert found["need"] == {"terms": 18, "redundant": []}


def test_an_earlier_result_is_replaced_whole(out: Path) -> None:
    found = sample.learned()
    fewer = PolicySet.of(one for one in found.policies if one.name == "web")
    write_learned(sample.result(learned=replace(found, policies=fewer)), out)
    assert "policies/shop/web.yaml" in tree(out)
    assert "policies/shop/db.yaml" not in tree(out)
    assert list(out.parent.iterdir()) == [out]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    target.mkdir(parents=True)
    write_learned(sample.result(), target)
    assert (target / "report.html").is_file()


def test_parents_are_made(tmp_path: Path) -> None:
    write_learned(sample.result(), tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c" / "report.html").is_file()


def test_a_folder_behind_a_link_is_replaced_and_the_link_stays(out: Path) -> None:
    link = out.parent / "link"
    link.symlink_to(out)
    write_learned(sample.result(), link)
    assert link.is_symlink()
    assert (out / "report.html").is_file()


def test_files_of_others_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(UsageError, match=r"mine\.txt"):
        write_learned(sample.result(), tmp_path)
    assert tree(tmp_path) == {"mine.txt": b"precious"}


def test_a_file_added_since_is_named(out: Path) -> None:
    (out / "policies" / "shop" / "mine.yaml").write_text("x")
    with pytest.raises(UsageError, match=r"shop/mine\.yaml: .*only files that synth wrote"):
        check_target(out)


def test_a_file_changed_since_is_named(out: Path) -> None:
    (out / "quarantine.yaml").write_text("answers")
    with pytest.raises(UsageError, match=r"quarantine\.yaml: .*a changed file"):
        write_learned(sample.result(), out)
    assert (out / "quarantine.yaml").read_text() == "answers"


def test_a_link_in_place_of_a_file_is_a_change(out: Path) -> None:
    copy = out.parent / "copy.html"
    (out / "report.html").rename(copy)
    (out / "report.html").symlink_to(copy)
    with pytest.raises(UsageError, match=r"report\.html"):
        check_target(out)


def test_a_deleted_file_is_no_reason_to_refuse(out: Path) -> None:
    (out / "report.html").unlink()
    check_target(out)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"files": 3}', "\x00"])
def test_a_broken_manifest_protects_everything(out: Path, text: str) -> None:
    (out / ".synth").write_text(text)
    with pytest.raises(UsageError):
        check_target(out)


def test_many_foreign_files_are_told_in_few_lines(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / str(number)).touch()
    with pytest.raises(UsageError) as caught:
        check_target(tmp_path)
    assert len(caught.value.faults) == 11
    assert "90 more" in str(caught.value)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="a folder"):
        check_target(tmp_path / "file")
    with pytest.raises(UsageError, match="a folder"):
        check_target(tmp_path / "file" / "below")


def test_a_failure_leaves_the_old_and_nothing_else(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(out)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "write_edges", full)
    with pytest.raises(UsageError, match="No space left"):
        write_learned(sample.result(), out)
    assert tree(out) == before
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("step", ["write_edges", "sync", "put_in_place"])
def test_an_interrupt_leaves_the_old_and_nothing_else(
    out: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = tree(out)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, step, stop)
    with pytest.raises(KeyboardInterrupt):
        write_learned(sample.result(), out)
    assert tree(out) == before
    assert list(out.parent.iterdir()) == [out]


def test_systems_that_cannot_exchange_rename_twice(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "exchange", lambda *_: False)
    (out / "report.html").unlink()
    write_learned(sample.result(), out)
    assert (out / "report.html").is_file()
    assert list(out.parent.iterdir()) == [out]


def test_a_failed_second_rename_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, target = tmp_path / "new", tmp_path / "target"
    new.mkdir()
    target.mkdir()
    (target / "old").touch()
    rename = Path.rename

    def fail(self: Path, to: Path) -> Path:
        if self == new:
            raise OSError(5, "Input/output error")
        return rename(self, to)

    monkeypatch.setattr(exchange, "exchange", lambda *_: False)
    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="Input/output"):
        exchange.put_in_place(new, target)
    assert (target / "old").exists()


def test_exchange_in_one_step(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    (one / "a").touch()
    if not exchange.exchange(one, other):
        pytest.skip("this file system cannot")
    assert (other / "a").exists()
    with pytest.raises(FileNotFoundError):
        exchange.exchange(one, tmp_path / "missing")


def test_files_are_readable_as_the_umask_says(out: Path) -> None:
    plain = out.parent / "plain"
    plain.mkdir()
    assert stat.S_IMODE(out.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_policies_are_what_the_kustomization_names(out: Path) -> None:
    listed = yaml.safe_load((out / "policies" / "kustomization.yaml").read_text())
    assert listed["resources"] == ["shop/api.yaml", "shop/db.yaml", "shop/web.yaml"]
    for name in listed["resources"]:
        policy = yaml.safe_load((out / "policies" / name).read_text())
        assert policy["kind"] == "NetworkPolicy"


def test_no_policy_at_all_is_a_valid_kustomization(tmp_path: Path) -> None:
    nothing = replace(sample.learned(), policies=PolicySet(), pending=PolicySet())
    write_learned(sample.result(learned=nothing), tmp_path / "out")
    text = (tmp_path / "out" / "policies" / "kustomization.yaml").read_text()
    assert yaml.safe_load(text)["resources"] == []


def test_pending_policies_carry_their_questions(out: Path) -> None:
    text = (out / "pending" / "shop" / "api.yaml").read_text()
    assert "# ae40adbea64c (quarantined): shop/api → 203.0.113.10 TCP 443" in text
    assert yaml.safe_load(text)["metadata"]["name"] == "api"


def test_questions_cannot_leave_their_comment(tmp_path: Path) -> None:
    found = sample.learned()
    bad = replace(sample.QUESTION, text="a\nspec: {}\r\x85b\u2028c: d")
    write_learned(sample.result(learned=replace(found, questions=(bad,))), tmp_path / "out")
    policy = yaml.safe_load((tmp_path / "out" / "pending" / "shop" / "api.yaml").read_text())
    assert policy["spec"]["podSelector"] == {"matchLabels": {"role": "api"}}


def test_evidence(out: Path) -> None:
    found = json.loads((out / "evidence.json").read_text())
    policies = {one["role"]: one for one in found["policies"]}
    egress, ingress = policies["shop/api"]["directions"]
    assert (egress["direction"], egress["ready"], egress["cost"]) == ("Egress", False, 3)
    (rule,) = ingress["rules"]
    assert rule["told"] == "shop/web on TCP 5000"
    assert rule["edges"] == [
        {
            "client": "shop/web",
            "server": "shop/api",
            "protocol": "TCP",
            "port": 5000,
            "records": 30_500,
            "connections": 41,
            "first_seen": "2026-09-21T14:13:20Z",
            "last_seen": "2026-09-22T15:13:20Z",
            "one_day": False,
            "example": "node1.log:7",
        }
    ]
    exposed = policies["shop/web"]["directions"][1]["rules"][1]
    assert (exposed["declared"], exposed["edges"]) == ("exposed service shop/web", [])


def test_certificate(out: Path) -> None:
    found = json.loads((out / "certificate.json").read_text())
    assert [one["path"] for one in found["inputs"]] == ["node1.log", "node2.log"]
    assert sum(found["ledger"].values()) == sum(one["records"] for one in found["inputs"])
    assert found["selectors"]["shop/api"] == {"selector": "role=api", "pods": ["api-0", "api-1"]}
    assert found["questions"] == {"open": ["ae40adbea64c"], "answered": {}}
    written = json.loads((out / ".synth").read_text())["files"]
    assert all(written[name] == digest for name, digest in found["policies"].items())


def test_report_names_no_folder(out: Path) -> None:
    assert str(out.parent) not in (out / "report.html").read_text()

import os
from pathlib import Path

import pytest

from synth.errors import InputError
from synth.sources.files import find_files, open_text, reading


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    root = tmp_path / "logs"
    for name in (
        "b.log",
        "a.log.gz",
        "README",
        "README.md",
        "notes.markdown",
        "_SUCCESS",
        ".hidden",
        ".cache/x.log",
        "aws-account-id=0123/month=05/c.parquet",
        "aws-account-id=0123/_committed_1",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return root


def names(found: tuple[str, ...], root: Path) -> list[str]:
    return [os.path.relpath(path, root) for path in found]


HIVE = "aws-account-id=0123/month=05/c.parquet"


def test_a_folder_stands_for_the_logs_below_it(logs: Path) -> None:
    assert names(find_files([str(logs)]), logs) == ["a.log.gz", HIVE, "b.log"]


def test_globs(logs: Path) -> None:
    assert names(find_files([f"{logs}/*.log"]), logs) == ["b.log"]
    assert names(find_files([f"{logs}/**/*.parquet"]), logs) == [HIVE]
    assert names(find_files([f"{logs}/aws*"]), logs) == [HIVE]


def test_each_file_once_and_sorted(logs: Path) -> None:
    (logs / "link.log").symlink_to(logs / "b.log")
    flows = [str(logs / "b.log"), f"{logs}/../logs", f"{logs}/*.log"]
    assert len(find_files(flows)) == 3
    assert list(find_files(flows)) == sorted(find_files(flows))


def test_a_file_named_itself_is_taken(logs: Path) -> None:
    flows = [str(logs / ".hidden"), str(logs / "README")]
    assert names(find_files(flows), logs) == [".hidden", "README"]


def test_a_name_with_glob_characters(logs: Path) -> None:
    (logs / "x[1].log").write_text("x")
    assert names(find_files([str(logs / "x[1].log")]), logs) == ["x[1].log"]


def test_nothing_found_is_told_for_each(logs: Path) -> None:
    (logs / "empty").mkdir()
    with pytest.raises(InputError) as caught:
        find_files([str(logs), "no/such", f"{logs}/*.none", f"{logs}/empty"])
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError):
        find_files([])


def test_urls(logs: Path) -> None:
    url = f"file://{logs}"
    assert find_files([url]) == tuple(f"{url}/{name}" for name in ("a.log.gz", HIVE, "b.log"))
    assert find_files([f"{url}/b.log"]) == (f"{url}/b.log",)
    assert find_files([f"{url}/*/*/c.*"]) == (f"{url}/{HIVE}",)
    with reading(url), open_text(f"{url}/b.log") as stream:
        assert stream.read() == b"x"


@pytest.mark.parametrize("url", ["nonsense://x/y", "file:///no/such/folder"])
def test_urls_that_lead_nowhere(url: str) -> None:
    with pytest.raises(InputError):
        find_files([url])

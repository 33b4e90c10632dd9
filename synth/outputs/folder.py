"""What ``synth learn`` leaves behind: a folder that is written whole or not at all.

```
DIR/policies/<namespace>/<role>.yaml   ready, with a kustomization.yaml that names them
DIR/pending/<namespace>/<role>.yaml    what waits, with its questions
DIR/quarantine.yaml                    what was not learned, ready to be answered
DIR/evidence.json                      rule → edges
DIR/edges.parquet                      what was seen
DIR/certificate.json                   what was proven, of what
DIR/report.html                        for people
DIR/.synth                             the list of these files, by hash
```
"""

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from synth.edges.parquet import write_edges
from synth.errors import Fault, UsageError
from synth.outputs.certificate import certificate
from synth.outputs.evidence import evidence
from synth.outputs.exchange import put_in_place, sync, sync_one
from synth.outputs.manifest import NAME, manifest_of, refuse_foreign
from synth.outputs.policies import pending_files, policy_files
from synth.outputs.quarantine import quarantine
from synth.proof.results import LearnResult
from synth.reports.learn_html import to_html


def check_target(out: Path) -> None:
    """Do nothing if the folder can be written later, as far as that can be told now.

    Raises
    ------
    UsageError
        If something else is there, or it holds files that an earlier run did not write.

    """
    with _told(out):
        target = out.resolve()
        if Path.cwd().is_relative_to(target):
            expected = "a folder that can be replaced"
            got = "the current folder or one above it"
            raise UsageError(Fault(str(out), expected, got, "Name a folder inside it."))
        if target.is_dir():
            refuse_foreign(out)
            return
        nearest = next(one for one in (target, *target.parents) if one.exists())
        if not nearest.is_dir():
            expected = "a folder, or a path where one can be made"
            raise UsageError(Fault(str(out), expected, f"the file {nearest}"))


def write_learned(result: LearnResult, out: Path) -> None:
    """Write the folder; an earlier result there is replaced in one step.

    Raises
    ------
    UsageError
        If the folder holds anything that an earlier run did not write, or cannot be written; it
        is then as it was before.

    """
    check_target(out)
    with _told(out):
        target = out.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        with _beside(target) as new:
            _write(result, new)
            sync(new)
            check_target(out)
            put_in_place(new, target)
            sync_one(target.parent)


def files_of(result: LearnResult) -> Mapping[str, bytes]:
    """Return path → bytes of every file but the edges and the manifest."""
    policies = policy_files(result.learned)
    return {
        **policies,
        **pending_files(result.learned),
        "quarantine.yaml": quarantine(result).encode(),
        "evidence.json": _json(evidence(result)),
        "certificate.json": _json(certificate(result, policies)),
        "report.html": to_html(result).encode(),
    }


def _json(values: object) -> bytes:
    return (json.dumps(values, indent=1, ensure_ascii=True) + "\n").encode()


def _write(result: LearnResult, folder: Path) -> None:
    for name, content in files_of(result).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    told, path = result.terms, folder / "edges.parquet"
    write_edges(result.folded, result.skipped, path, told.separators, told.mentioned)
    (folder / NAME).write_bytes(manifest_of(folder))


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Return a new folder beside the target; whatever is there in the end is removed."""
    new = target.with_name(f".synth-{secrets.token_hex(8)}")
    new.mkdir()
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a fault that names the folder."""
    try:
        yield
    except RuntimeError as error:  # a loop of links, before Python 3.13
        raise UsageError(Fault(str(out), "a folder that can be written", str(error))) from error
    except OSError as error:
        mounted = out.is_mount()
        remedy = "It is a mount point: name a folder inside it." if mounted else ""
        got = f"{error.strerror or error}"
        raise UsageError(Fault(str(out), "a folder that can be written", got, remedy)) from error

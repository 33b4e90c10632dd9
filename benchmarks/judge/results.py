"""The figures of one case on disk: one JSON file, whole or not believed."""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

from benchmarks.judge.case import Case

SCHEMA: Final = 1
Figures = Mapping[str, Mapping[str, float | None]]
"""Contestant → metric → value; None where the metric has no meaning."""


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A judged case: its figures, and the seconds that it took."""

    case: Case
    figures: Figures
    seconds: float


def cell_path(folder: Path, case: Case, version: str) -> Path:
    """Return where the case's figures belong: the name holds a hash of options and code."""
    told = f"{SCHEMA} {version} {to_json(case_of(case))}"
    return folder / f"{case.name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.json"


def read_finished(path: Path, case: Case) -> Finished | None:
    """Return the case's figures; none where the file is missing, cut short, or altered."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        body = found["body"]
        if found["sha256"] != digest(body) or body["case"] != case_of(case):
            return None
        return Finished(case, body["figures"], body["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_finished(path: Path, finished: Finished) -> None:
    """Write the case's file.

    Raises
    ------
    ValueError
        If a figure is no finite number.

    """
    body = {
        "case": case_of(finished.case),
        "figures": checked(finished.figures),
        "seconds": round(finished.seconds, 1),
    }
    write_text(path, json.dumps({"sha256": digest(body), "body": body}, indent=1))


def write_text(path: Path, text: str) -> None:
    """Write the file; whoever reads meanwhile finds the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def checked(figures: Mapping[str, Mapping[str, object]]) -> Figures:
    """Return the figures, each of them a number or none.

    Raises
    ------
    ValueError
        Naming each that is no finite number.

    """
    faults = [
        f"{contestant}: {metric}: expected a finite number or none. Got {value!r} instead."
        for contestant, row in figures.items()
        for metric, value in row.items()
        if value is not None and not (isinstance(value, int | float) and math.isfinite(value))
    ]
    if faults:
        raise ValueError("; ".join(faults))
    return cast("Figures", figures)


def case_of(case: Case) -> dict[str, Any]:
    """Return the case as JSON has it."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(case)))
    return found


def digest(body: object) -> str:
    """Return the hash of a JSON value."""
    return hashlib.sha256(to_json(body).encode()).hexdigest()


def to_json(value: object) -> str:
    """Return the value as canonical JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))

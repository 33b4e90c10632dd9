"""`python -m datasets.generator --workloads 200 --days 7 --seed 1 --out DIR [knobs]`."""

import argparse
import sys
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from datasets.generator.generate import generate
from datasets.generator.options import ATTACKS, Options
from datasets.generator.presets import PRESETS

_LISTS = ("formats", "attacks")
_SWITCHES = ("dns", "snat", "brief")
_TEXTS = ("codec",)
_WHOLE = ("seed", "workloads", "connections", "records", "replicas", "most_replicas", "pairs")
_COUNTS = (*_WHOLE, "nodes", "reuse_after", "scan_targets", "poison_replicas", "poison_days")


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when everything is written, 2 where the knobs or the folder do not allow it."""
    given = _parser().parse_args(arguments)
    knobs = {one.name: getattr(given, one.name) for one in fields(Options)}
    chosen = {name: value for name, value in knobs.items() if value is not None}
    begin = time.perf_counter()
    try:
        truth = generate(replace(PRESETS[given.preset], **chosen), given.out)
    except (ValueError, FileExistsError) as error:
        print(f"generator: {error}", file=sys.stderr)
        return 2
    seconds, records = time.perf_counter() - begin, sum(truth.records.values())
    counts = ", ".join(f"{number:,} {name}" for name, number in sorted(truth.records.items()))
    print(f"{given.out}: {len(truth.workloads):,} workloads, {len(truth.edges):,} edges, {counts}")
    print(f"{seconds:.1f} s, {records / seconds:,.0f} records a second")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m datasets.generator", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="an empty folder, or none")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="medium")
    for one in fields(Options):
        flag = f"--{one.name.replace('_', '-')}"
        text = f"{one.metadata['help']} [{_shown(one.default)}]".replace("%", "%%")
        parser.add_argument(flag, dest=one.name, default=None, help=text, **_kind(one.name))
    return parser


def _shown(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _kind(name: str) -> dict[str, Any]:
    if name in _LISTS:
        return {"type": _list, "metavar": "A,B"}
    if name in _SWITCHES:
        return {"action": argparse.BooleanOptionalAction}
    if name in _TEXTS:
        return {}
    return {"type": int if name in _COUNTS else float, "metavar": "N"}


def _list(text: str) -> tuple[str, ...]:
    return ATTACKS if text == "all" else tuple(one for one in text.split(",") if one)


if __name__ == "__main__":
    raise SystemExit(main())

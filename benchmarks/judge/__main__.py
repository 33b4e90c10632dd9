"""``python -m benchmarks.judge``: judges a matrix of cases and prints the table."""

import argparse
import json
import os
import sys
import time
from functools import partial
from math import inf
from pathlib import Path

from benchmarks.judge.bounds import find_regressions, read_bounds
from benchmarks.judge.matrix import MATRICES, Matrix
from benchmarks.judge.measure import measure_apart
from benchmarks.judge.report import Report, insert, to_json, to_markdown
from benchmarks.judge.results import write_text
from benchmarks.judge.run import BusyError, Way, run_cases
from benchmarks.judge.version import code_version


def main(arguments: list[str] | None = None) -> int:
    """Return 0; 1 if a case failed or a bound is broken; 2 where the run cannot be made."""
    given = _parser().parse_args(arguments)
    matrix = MATRICES[given.matrix].seeded(given.seeds, given.first)
    cases, version = list(matrix.cases()), code_version()
    key = " ".join([version, *matrix.contestants])
    try:
        outcome = run_cases(cases, given.out, key, _way(given, matrix))
    except (BusyError, OSError) as error:
        print(f"judge: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\njudge: stopped; the same command continues.", file=sys.stderr)
        return 130
    report = Report(matrix, version, outcome.finished, len(cases))
    texts = {
        "json": json.dumps(to_json(report), indent=2) + "\n",
        "markdown": to_markdown(report),
    }
    write_text(given.out / "report.json", texts["json"])
    write_text(given.out / "report.md", texts["markdown"])
    print(texts[given.format], end="")
    if given.page:
        try:
            page = insert(texts["markdown"], given.page.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            print(f"judge: {given.page}: {error}", file=sys.stderr)
            return 2
        write_text(given.page, page)
    faults = [*outcome.failures]
    faults += find_regressions(outcome.finished, read_bounds()) if given.check else []
    for fault in faults:
        print(f"judge: {fault}", file=sys.stderr)
    return int(bool(faults))


def _way(given: argparse.Namespace, matrix: Matrix) -> Way:
    until = inf if given.minutes is None else time.monotonic() + 60 * given.minutes
    judge = partial(measure_apart, names=matrix.contestants)
    return Way(given.workers, until, _tell, judge)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judge", description=__doc__)
    parser.add_argument("--matrix", choices=sorted(MATRICES), default="daily", help="[daily]")
    parser.add_argument("--seeds", type=_count, metavar="N", help="so many seeds [the matrix's]")
    parser.add_argument("--first", type=_count, metavar="SEED", help="the first seed [1]")
    parser.add_argument("--out", type=Path, default=Path("build/judge"), help="[build/judge]")
    parser.add_argument("--format", choices=("markdown", "json"), default="markdown")
    parser.add_argument("--workers", type=_count, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--minutes", type=_count, metavar="N", help="begin no case after those")
    parser.add_argument("--page", type=Path, help="a page to put the table into")
    parser.add_argument("--check", action="store_true", help="exit 1 if bounds.json is broken")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on. Got {text} instead.")
    return int(text)


def _tell(done: int, cases: int, name: str) -> None:
    """Keep a line of progress on a terminal."""
    if sys.stderr.isatty():
        end = "\n" if done == cases else ""
        print(f"\r\x1b[K{done} of {cases} cases {name}", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

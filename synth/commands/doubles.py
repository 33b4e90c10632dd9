"""Records that would count twice: logs given together with edges that were made of them."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from synth.proof.results import InputFile

_CERTIFICATE = "certificate.json"


def warn_of_doubles(inputs: Iterable[InputFile]) -> tuple[str, ...]:
    """Return a warning for each stored file that another input, or another's logs, is part of.

    What a stored file was made of stands in the certificate beside it, if there is one.
    """
    inputs = tuple(inputs)
    places: dict[str, set[str]] = defaultdict(set)
    for one in inputs:
        if one.records:
            places[one.sha256].add(one.path)
    parts = {one.path: _parts(one.path) for one in inputs if one.format == "edges"}
    for path, digests in parts.items():
        for digest in digests:
            places[digest].add(path)
    shared = {
        (path, other)
        for path, digests in parts.items()
        for digest in digests
        for other in places[digest] - {path}
        if other not in parts or path < other or digest not in parts[other]
    }
    return tuple(
        f"records count twice: {path} holds records of {other}, which is given too"
        for path, other in sorted(shared)
    )


def _parts(path: str) -> frozenset[str]:
    """Return the SHA-256 of the logs that a stored file was made of; none if nobody says."""
    try:
        text = Path(path).with_name(_CERTIFICATE).read_text(encoding="utf-8")
        inputs = json.loads(text)["inputs"]
        return frozenset(str(one["sha256"]) for one in inputs if one["records"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return frozenset()

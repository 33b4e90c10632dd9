"""Edges on which two choices differ, counted in records."""

from dataclasses import replace

import numpy as np

from synth.edges.schema import Edges
from synth.evaluator.options import BY_NAME
from synth.evaluator.verdicts import Verdicts
from synth.inventory.endpoint import Endpoint, Kind
from synth.proof.choices import compare

WEB = Endpoint(Kind.POD, "shop", "Deployment/web")
USER = Endpoint(Kind.ADDRESS, address="198.51.100.7")


def _edges(*records: int) -> Edges:
    empty = Edges.empty()
    columns = {
        name: np.zeros((len(records), *values.shape[1:]), values.dtype)
        for name, values in empty.columns.items()
    }
    columns["records"] = np.array(records, np.int64)
    columns["client"] = np.ones(len(records), np.int32)
    columns["protocol"] = np.array([6, 17, 1, 6][: len(records)], np.uint8)
    columns["port"] = np.arange(80, 80 + len(records)).astype(np.uint16)
    columns["example"] = np.arange(len(records))
    return Edges(endpoints=(WEB, USER), files=("a.log",), half_day_base=0, **columns)


def _verdicts(words: str) -> Verdicts:
    """Return verdicts from ``a``, ``d`` and ``u``."""
    letters = np.array(list(words))
    found = Verdicts.empty(len(letters))
    return replace(
        found,
        egress_allowed=np.ones(len(letters), np.bool_),
        ingress_allowed=letters == "a",
        undetermined=letters == "u",
    )


def test_what_depends_on_a_choice() -> None:
    verdicts = {"yes": _verdicts("aadu"), "no": _verdicts("aduu")}
    found = compare(BY_NAME["ip-block-pods"], "yes", _edges(1, 2, 4, 8), verdicts)
    assert found.values == {
        "yes": {"allowed": 3, "denied": 4, "undetermined": 8},
        "no": {"allowed": 1, "denied": 2, "undetermined": 12},
    }
    assert found.records == 6
    first, second = found.edges
    assert (first.protocol, first.port, first.records, first.example) == ("1", 82, 4, "a.log:2")
    assert first.verdicts == {"yes": "denied", "no": "undetermined"}
    assert (second.source, second.destination) == ("198.51.100.7", "shop/web")
    assert second.verdicts == {"yes": "allowed", "no": "denied"}


def test_nothing_depends_on_it() -> None:
    verdicts = {"yes": _verdicts("ad"), "no": _verdicts("ad")}
    found = compare(BY_NAME["ip-block-pods"], "no", _edges(1, 2), verdicts)
    assert (found.chosen, found.edges, found.records) == ("no", (), 0)

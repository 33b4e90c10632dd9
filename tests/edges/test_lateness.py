"""An address changes hands; what trackers tell of connections afterwards is of who opened them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import made
from tests.running import learn

OLD, NEW, WEB = "10.1.2.10", "10.1.2.10", "10.1.1.11"
HANDED_OVER = 100
"""Seconds after the beginning of the capture."""


def cluster(folder: Path) -> Path:
    """Write web, and an address that db held first and cache holds now."""
    db = made.pod("shop/db", {"app": "db"}, OLD, "n2", [5432])
    cache = made.pod("shop/cache", {"app": "cache"}, NEW, "n2", [5432, 6379])
    db["metadata"]["deletionTimestamp"] = "2026-03-02T09:01:30Z"
    cache["status"]["startTime"] = "2026-03-02T09:01:40Z"
    spare = made.pod("shop/db", {"app": "db"}, "10.1.2.20", "n2", [5432])
    spare["metadata"] |= {"name": "db-1", "uid": "uid-shop-db-1"}
    return made.write_cluster(
        folder, db, cache, spare, made.pod("shop/web", {"app": "web"}, WEB, "n1")
    )


def line(  # noqa: PLR0913 - a line has these parts
    second: float, event: str, number: int, port: int, *, state: str = "", more: str = ""
) -> str:
    """Return one event of a connection of web's to the address that changes hands."""
    sport = 40_000 + number
    there = f"src={WEB} dst={OLD} sport={sport} dport={port}"
    back = f"src={OLD} dst={WEB} sport={port} dport={sport}"
    flags = ("[UNREPLIED] ", "") if event == "NEW" else ("", " [ASSURED]")
    return (
        f"[{made.BEGIN + second:.6f}]\t[{event}] ipv4     2 tcp      6 {state} "
        f"{there} {flags[0]}{back}{flags[1]}{more} id={number}\n"
    )


def opened(second: float, number: int, port: int) -> str:
    new = line(second, "NEW", number, port, state="120 SYN_SENT ")
    return new + line(second + 0.01, "UPDATE", number, port, state="432000 ESTABLISHED ")


def closed(second: float, number: int, port: int, more: str = "") -> str:
    fin = line(second, "UPDATE", number, port, state="120 FIN_WAIT ")
    return fin + line(second + 1, "DESTROY", number, port, state="TIME_WAIT ", more=more)


def contacts(tmp_path: Path, *texts: str) -> dict[str, Any]:
    """Return the policies, by folder and name, and the ledger that these logs lead to."""
    for number, text in enumerate(texts):
        (tmp_path / f"n1.{number}.txt").write_text(text)
    logs = sorted(tmp_path.glob("n1.*.txt"))
    tree = learn(tmp_path / "out", logs, cluster(tmp_path / "cluster"))
    ledger = json.loads(tree["certificate.json"])["ledger"]
    found: dict[str, Any] = {"policies": {}, "pending": {}, "ledger": ledger}
    for path, content in tree.items():
        folder, _, name = path.partition("/")
        if folder in ("policies", "pending") and name.endswith(".yaml") and "/" in name:
            found[folder][name] = content.decode()
    return found


BEFORE = "".join(opened(second, second, 5432) for second in range(1, 9))


@pytest.mark.parametrize("more", ["", " delta-time=100"])
def test_a_late_end_is_of_whom_the_opening_was_with(more: str, tmp_path: Path) -> None:
    ends = "".join(closed(HANDED_OVER + 5 + at, at, 5432, more) for at in range(1, 9))
    apart, whole = tmp_path / "apart", tmp_path / "whole"
    for folder in (apart, whole):
        folder.mkdir()
    found = contacts(whole, BEFORE + ends)
    assert found["ledger"] == {"accepted": 32}
    assert {*found["policies"]} == {"shop/db.yaml"}
    assert "app: cache" not in "".join(found["pending"].values())
    assert contacts(apart, ends, BEFORE) == found


def test_an_end_without_any_opening_is_a_question(tmp_path: Path) -> None:
    ends = "".join(closed(HANDED_OVER + 5 + at, at, 5432) for at in range(1, 9))
    found = contacts(tmp_path, ends)
    assert found["ledger"] == {"unresolved": 16}
    assert found["policies"] == {}


def test_an_end_that_may_be_of_two_openings_is_left_to_neither(tmp_path: Path) -> None:
    after = "".join(opened(HANDED_OVER + 5 + at, 100 + at, 5432) for at in range(1, 9))
    ends = closed(HANDED_OVER + 30, 101, 5432) + closed(HANDED_OVER + 31, 1, 5432)
    found = contacts(tmp_path, BEFORE + after + ends)
    assert found["ledger"] == {"accepted": 32, "unresolved": 4}
    # Each of the two is accepted, so nobody need be asked about either.
    assert {*found["policies"]} == {"shop/cache.yaml", "shop/db.yaml"}


def test_who_only_failed_did_not_open_what_was_answered(tmp_path: Path) -> None:
    tries = "".join(
        line(HANDED_OVER + 5 + at, "NEW", 100 + at, 5432, state="120 SYN_SENT ")
        + line(HANDED_OVER + 5.1 + at, "UPDATE", 100 + at, 5432, state="10 CLOSE ").replace(
            " [ASSURED]", ""
        )
        for at in range(4)
    )
    ends = "".join(closed(HANDED_OVER + 5 + at, at, 5432) for at in range(1, 9))
    found = contacts(tmp_path, BEFORE + tries + ends)
    assert found["ledger"] == {"accepted": 32, "rejected": 8}
    assert {*found["policies"]} == {"shop/db.yaml"}


def test_the_new_holder_keeps_its_own(tmp_path: Path) -> None:
    after = "".join(
        opened(HANDED_OVER + 5 + at, at, 6379) + closed(HANDED_OVER + 6 + at, at, 6379)
        for at in range(1, 9)
    )
    found = contacts(tmp_path, after)
    assert found["ledger"] == {"accepted": 32}
    assert {*found["policies"]} == {"shop/cache.yaml"}


def test_long_after_the_hand_over_nothing_is_in_doubt(tmp_path: Path) -> None:
    ends = "".join(
        line(HANDED_OVER + 200 + at, "DESTROY", at, 6379, state="TIME_WAIT ") for at in range(1, 9)
    )
    found = contacts(tmp_path, ends)
    assert found["ledger"] == {"accepted": 8}
    assert {*found["policies"]} == {"shop/cache.yaml"}

"""A whole report of connectivity, as people and programs see it."""

import json

import pytest

from synth.evaluator.connected import Connected
from synth.evaluator.outside import EVERYWHERE, spans_of_networks, without
from synth.evaluator.reach import End, Reach, Standing
from synth.policy import PortRange, PortSet, Protocol
from synth.reports import connectivity as report
from synth.reports.markdown import to_markdown
from synth.reports.page import Page, Table
from synth.reports.text import to_text
from tests.reports.conftest import Golden

WEB, API, DB, CLIENT = map(End, ("shop/web", "shop/api", "shop/db", "users/client"))
PODS = spans_of_networks(["10.244.0.0/16"])
WORLD = End(spans=without(EVERYWHERE[:1], PODS))
BANK = End(spans=spans_of_networks(["203.0.113.0/25"]))
NODES = End(spans=spans_of_networks(["172.18.0.0/24"]), node=True)


def tcp(*ports: int) -> PortSet:
    return PortSet(tuple(PortRange(Protocol.TCP, one, one) for one in ports))


def connected() -> Connected:
    """Return a small cluster: some pods of web may do more, and db is open to the bank."""
    return Connected(
        parties=("shop/api", "shop/db", "shop/web", "users/client"),
        reach=(
            Reach(API, (DB,), tcp(3306)),
            Reach(API, (BANK,), tcp(443)),
            Reach(WEB, (API,), tcp(5000)),
            Reach(WEB, (API,), PortSet((PortRange(Protocol.TCP, 9000, 9005),)), some=True),
            Reach(CLIENT, (API, DB, WEB), PortSet.every()),
            Reach(CLIENT, (WORLD,), PortSet.every()),
            Reach(WORLD, (CLIENT, WEB), tcp(80, 443) | PortSet.every(Protocol.UDP)),
            Reach(BANK, (DB,), tcp(5432), some=True),
            Reach(NODES, (WEB,), tcp(80)),
        ),
        standing=(
            Standing("shop/api", "all", "all"),
            Standing("shop/db", "all", "all"),
            Standing("shop/web", "some", "all"),
            Standing("users/client", "none", "none"),
        ),
        policies=("shop/api", "shop/db", "shop/web"),
        left_out=("10.244.0.0/16: addresses of pods",),
        elsewhere=("cilium.io CiliumNetworkPolicy shop/l7",),
        warnings=("shop/web names DaemonSet/web and Deployment/web: they are listed together",),
    )


def page() -> Page:
    return report.to_page(connected())


def test_text(golden: Golden) -> None:
    text = to_text(page())
    assert all(len(line) <= 80 for line in text.splitlines())
    golden("connectivity.txt", text)


def test_markdown(golden: Golden) -> None:
    golden("connectivity.md", to_markdown(page()))


def test_json(golden: Golden) -> None:
    values = report.to_json(connected())
    golden("connectivity.json", json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def test_csv(golden: Golden) -> None:
    golden("connectivity.csv", report.to_csv(connected()))


def test_the_promised_keys() -> None:
    values = report.to_json(connected())
    assert list(values)[:3] == ["synth", "schema", "connections"]
    one = connected().connections()[0]
    assert (one.source, one.destination, one.protocol, one.ports, one.pods) == (
        *("shop/api", "shop/db", "TCP", "3306"),
        "all",
    )


def test_connections_are_sorted_and_each_is_told_once() -> None:
    told = connected().connections()
    keys = [(one.source, one.destination, one.protocol, one.pods) for one in told]
    assert len(set(keys)) == len(keys)
    names = [one.source for one in told if "shop/" in one.source or "users/" in one.source]
    assert names == sorted(names)
    assert [one.source for one in told][: len(names)] == names


def test_the_rest_of_the_world_is_told_in_whole_cidrs() -> None:
    told = [one for one in connected().connections() if one.source == "users/client"]
    outside = {one.destination for one in told if not one.destination.startswith("shop/")}
    assert len(outside) == 16
    assert "10.0.0.0/9" in outside
    assert "0.0.0.0/0" not in outside


def test_every_port_of_a_protocol_is_a_whole_range() -> None:
    told = [one for one in connected().connections() if one.destination == "shop/db"]
    assert ("users/client", "UDP", "1-65535") in {
        (one.source, one.protocol, one.ports) for one in told
    }


@pytest.mark.parametrize("parties", [2, 30])
def test_names_are_counted_where_they_are_many(parties: int) -> None:
    ends = tuple(End(f"shop/w{number:02}") for number in range(parties))
    result = Connected(
        parties=tuple(end.name for end in ends),
        reach=(Reach(ends[0], ends[1:], tcp(80)), Reach(ends[1], ends[1:], tcp(80))),
        standing=(),
        policies=(),
    )
    cells = [
        cell
        for section in report.to_page(result).sections
        for block in section.blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
    ]
    few = parties == 2
    assert ("everyone else" in cells) is not few
    assert any(cell.endswith("and 9 more") for cell in cells) is not few


def test_nothing_to_tell_is_said() -> None:
    empty = Connected(parties=("shop/a",), reach=(), standing=(), policies=("shop/deny",))
    assert "No workload may reach another." in to_text(report.to_page(empty))


def test_warnings_name_what_is_not_evaluated() -> None:
    assert report.warnings_of(connected())[-1] == (
        "cilium.io CiliumNetworkPolicy shop/l7: not evaluated"
    )

"""``synth diff``."""

from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from synth.cli.choices import Choose, chosen_of
from synth.cli.options import (
    READING,
    RESULT,
    Addresses,
    Cluster,
    Cni,
    Fields,
    Format,
    NodeCidr,
    PodCidr,
    Quiet,
    ServiceCidr,
    Shape,
    Source,
    Threads,
    fields_of,
    ranges_of,
    threads_of,
)
from synth.cli.output import show, warn
from synth.cli.progress import watched
from synth.errors import Fault, UsageError

if TYPE_CHECKING:
    from synth.proof.diff import DiffResult

EXAMPLES = """\
synth diff old/ new/
synth diff old/ new/ --cluster cluster/ --format markdown
synth diff old/ new/ --cluster cluster/ --flows flows/ --fail-on blocked"""


class Finding(StrEnum):
    """What makes comparing end with 1."""

    CHANGED = "changed"
    BLOCKED = "blocked"


def diff(  # noqa: PLR0913 - one parameter for each option
    *,
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD",
            help="NetworkPolicies as they were: a file or a folder. An empty folder: none.",
            show_default=False,
        ),
    ],
    new: Annotated[
        str,
        typer.Argument(metavar="NEW", help="NetworkPolicies as they would be.", show_default=False),
    ],
    cluster: Cluster = [],  # noqa: B006
    flows: Annotated[
        list[str],
        typer.Option(
            metavar="PATH",
            help="Flow logs: whose verdict changes? Needs --cluster. Repeatable.",
            rich_help_panel=READING,
            show_default=False,
        ),
    ] = [],  # noqa: B006
    source: Source = None,
    fields: Fields = [],  # noqa: B006
    pod_cidr: PodCidr = [],  # noqa: B006
    service_cidr: ServiceCidr = [],  # noqa: B006
    node_cidr: NodeCidr = [],  # noqa: B006
    addresses: Addresses = [],  # noqa: B006
    cni: Cni = None,
    choose: Choose = [],  # noqa: B006
    fail_on: Annotated[
        list[Finding],
        typer.Option(
            metavar="changed|blocked",
            help="End with 1 if the meaning differs (without --cluster, the YAML), or only if a"
            " record that was allowed becomes denied. Repeatable.",
            rich_help_panel=RESULT,
            show_default="changed",
        ),
    ] = [Finding.CHANGED],  # noqa: B006
    shape: Shape = Format.TEXT,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Say what changes between two sets of policies: text, connections, verdicts.

    Order and spelling of the files make no difference. Policies of the cluster that neither set
    names count as in force before and after.
    """
    _check(fail_on, flows)
    from synth.commands import diff as command
    from synth.reports import diff as report

    request = command.DiffRequest(
        old=old,
        new=new,
        cluster=tuple(cluster),
        flows=tuple(flows),
        source=source,
        fields=fields_of(fields),
        ranges=ranges_of(pod_cidr, service_cidr, node_cidr),
        addresses=tuple(addresses),
        threads=threads_of(threads),
        cni=cni,
        choices=chosen_of(choose),
    )
    with watched(quiet=quiet) as progress:
        result = command.diff(request, progress)
    show(shape, lambda: report.to_page(result), lambda: report.to_json(result))
    warn(report.warnings_of(result), quiet=quiet)
    raise typer.Exit(int(has_findings(result, fail_on)))


def has_findings(result: "DiffResult", fail_on: Collection[Finding]) -> bool:
    """Return whether comparing ends with 1."""
    found = {
        Finding.CHANGED: result.differs,
        Finding.BLOCKED: result.judged is not None and result.judged.blocked > 0,
    }
    return any(found[finding] for finding in fail_on)


def _check(fail_on: Collection[Finding], flows: Collection[str]) -> None:
    if Finding.BLOCKED in fail_on and not flows:
        raise UsageError(Fault("--fail-on blocked", "flow logs to judge (--flows)", "none"))

"""``synth coverage``."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from synth.cli.choices import Choose, chosen_of
from synth.cli.options import (
    RESULT,
    Addresses,
    Cluster,
    Cni,
    Fields,
    Flows,
    Format,
    NodeCidr,
    PodCidr,
    Policies,
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
    from synth.evaluator.coverage import Figure

EXAMPLES = """\
synth coverage flows/ --cluster cluster/ --policies learned/policies
synth coverage flows/ --cluster cluster/ --policies learned/policies \\
    --fail-under 95 --of ingress --format markdown"""


class Of(StrEnum):
    """The figure that must not be too low."""

    INGRESS = "ingress"
    EGRESS = "egress"
    BOTH = "both"


def coverage(  # noqa: PLR0913 - one parameter for each option
    *,
    flows: Flows,
    policies: Policies = [],  # noqa: B006
    cluster: Cluster = [],  # noqa: B006
    source: Source = None,
    fields: Fields = [],  # noqa: B006
    pod_cidr: PodCidr = [],  # noqa: B006
    service_cidr: ServiceCidr = [],  # noqa: B006
    node_cidr: NodeCidr = [],  # noqa: B006
    addresses: Addresses = [],  # noqa: B006
    cni: Cni = None,
    choose: Choose = [],  # noqa: B006
    fail_under: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            help="End with 1 if less of the records than this is covered.",
            rich_help_panel=RESULT,
            show_default=False,
        ),
    ] = None,
    of: Annotated[
        Of,
        typer.Option(
            metavar="ingress|egress|both",
            help="The figure that --fail-under is about.",
            rich_help_panel=RESULT,
            show_default="both",
        ),
    ] = Of.BOTH,
    shape: Shape = Format.TEXT,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Say how much of the logged traffic policies cover, and what they admit in vain.

    Without --policies, the policies among the cluster files count.
    """
    _check(fail_under)
    from synth.commands import coverage as command
    from synth.evaluator.coverage import Scope
    from synth.reports import coverage as report

    request = command.CoverageRequest(
        flows=tuple(flows),
        cluster=tuple(cluster),
        policies=tuple(policies),
        source=source,
        fields=fields_of(fields),
        ranges=ranges_of(pod_cidr, service_cidr, node_cidr),
        addresses=tuple(addresses),
        threads=threads_of(threads),
        cni=cni,
        choices=chosen_of(choose),
    )
    with watched(quiet=quiet) as progress:
        result = command.coverage(request, progress)
    goal = None if fail_under is None else report.Goal(Scope(of), fail_under)
    show(shape, lambda: report.to_page(result, goal), lambda: report.to_json(result))
    warn(report.warnings_of(result), quiet=quiet)
    failed = fail_under is not None and is_below(result.figures[Scope(of)].records, fail_under)
    raise typer.Exit(int(failed))


def is_below(figure: "Figure", percent: float) -> bool:
    """Return whether less than so much is covered; of nothing, less than anything."""
    return percent > 0 and (not figure.total or 100 * figure.covered < percent * figure.total)


def _check(fail_under: float | None) -> None:
    if fail_under is not None and not 0 <= fail_under <= 100:  # noqa: PLR2004 - per cent
        raise UsageError(Fault("--fail-under", "a percentage of 0 to 100", f"{fail_under:g}"))

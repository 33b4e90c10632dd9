"""``synth connectivity``."""

from enum import StrEnum
from typing import Annotated

import typer

from synth.cli.options import (
    READING,
    RESULT,
    Cni,
    Format,
    NodeCidr,
    PodCidr,
    Quiet,
    ServiceCidr,
    ranges_of,
)
from synth.cli.output import emit, show, warn

EXAMPLES = """\
synth connectivity --cluster cluster/ --policies learned/policies
synth connectivity --cluster cluster/ --to shop/db --format csv
synth connectivity --cluster manifests/ --pod-cidr 10.244.0.0/16 \\
    --from shop --level pod --format json"""

ASKED = "The question"


class Shape(StrEnum):
    """How the connections are written; CSV is for them alone."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    CSV = "csv"


class Level(StrEnum):
    """What is listed as one."""

    WORKLOAD = "workload"
    POD = "pod"


def connectivity(  # noqa: PLR0913 - one parameter for each option
    *,
    cluster: Annotated[
        list[str],
        typer.Option(
            metavar="PATH",
            help="What `kubectl get ... -o json` or `-o yaml` printed, manifests (a template"
            " stands for its pods), or a folder of them. Repeatable.",
            rich_help_panel=READING,
            show_default=False,
        ),
    ] = [],  # noqa: B006
    policies: Annotated[
        list[str],
        typer.Option(
            metavar="PATH",
            help="NetworkPolicies as YAML or JSON, or a folder of them, instead of those of the"
            " cluster. Repeatable.",
            rich_help_panel=READING,
            show_default="the cluster's own",
        ),
    ] = [],  # noqa: B006
    pod_cidr: PodCidr = [],  # noqa: B006
    service_cidr: ServiceCidr = [],  # noqa: B006
    node_cidr: NodeCidr = [],  # noqa: B006
    cni: Cni = None,
    source: Annotated[
        list[str],
        typer.Option(
            "--from",
            metavar="WHO",
            help="Only these clients: namespace/name, a namespace, an address or a CIDR."
            " Repeatable.",
            rich_help_panel=ASKED,
            show_default="all",
        ),
    ] = [],  # noqa: B006
    destination: Annotated[
        list[str],
        typer.Option(
            "--to",
            metavar="WHO",
            help="Only these servers, in the same words. Repeatable.",
            rich_help_panel=ASKED,
            show_default="all",
        ),
    ] = [],  # noqa: B006
    level: Annotated[
        Level,
        typer.Option(
            metavar="workload|pod",
            help="What is listed as one.",
            rich_help_panel=RESULT,
            show_default="workload",
        ),
    ] = Level.WORKLOAD,
    nodes: Annotated[
        bool,
        typer.Option("--nodes", help="List the addresses of nodes too.", rich_help_panel=RESULT),
    ] = False,
    shape: Annotated[
        Shape,
        typer.Option(
            "--format",
            metavar="text|json|markdown|csv",
            help="How the result is written.",
            rich_help_panel=RESULT,
            show_default="text",
        ),
    ] = Shape.TEXT,
    quiet: Quiet = False,
) -> None:
    """Say who may reach whom on what, from the policies alone."""
    from synth.commands import connectivity as command
    from synth.reports import connectivity as report

    request = command.ConnectivityRequest(
        cluster=tuple(cluster),
        policies=tuple(policies),
        ranges=ranges_of(pod_cidr, service_cidr, node_cidr),
        sources=tuple(source),
        destinations=tuple(destination),
        pods=level is Level.POD,
        nodes=nodes,
        cni=cni,
    )
    found = command.connectivity(request)
    if shape is Shape.CSV:
        emit(report.to_csv(found))
    else:
        wanted = Format(shape.value)
        show(wanted, lambda: report.to_page(found), lambda: report.to_json(found))
    warn(report.warnings_of(found), quiet=quiet)

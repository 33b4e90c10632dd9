"""``synth learn``."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from synth.cli.options import (
    JUDGING,
    RESULT,
    Addresses,
    Assume,
    Cluster,
    Cni,
    External,
    Fields,
    Flows,
    Format,
    NodeCidr,
    Out,
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

if TYPE_CHECKING:
    from synth.proof.results import LearnResult

EXAMPLES = """\
synth learn flows/ --cluster cluster/ --out learned
synth learn flows/ --cluster cluster/ --out learned --accept answers.yaml
synth learn flows/ --cluster cluster/ --out learned --assume refuse --quiet"""


class Finding(StrEnum):
    """What makes learning end with 1; accepted records denied always do."""

    BLOCKED = "blocked"
    QUARANTINE = "quarantine"


def learn(  # noqa: PLR0913 - one parameter for each option
    *,
    flows: Flows,
    out: Out,
    cluster: Cluster = [],  # noqa: B006
    source: Source = None,
    fields: Fields = [],  # noqa: B006
    pod_cidr: PodCidr = [],  # noqa: B006
    service_cidr: ServiceCidr = [],  # noqa: B006
    node_cidr: NodeCidr = [],  # noqa: B006
    addresses: Addresses = [],  # noqa: B006
    accept: Annotated[
        list[str],
        typer.Option(
            metavar="FILE",
            help="Answers to questions: quarantine.yaml of an earlier run, filled in. Repeatable.",
            rich_help_panel=JUDGING,
            show_default=False,
        ),
    ] = [],  # noqa: B006
    assume: Annotated[
        Assume | None,
        typer.Option(
            metavar="accept|refuse",
            help="Answer every question that no file answers.",
            rich_help_panel=JUDGING,
            show_default="leave it open",
        ),
    ] = None,
    external: Annotated[
        External,
        typer.Option(
            metavar="exact",
            help="How wide rules for addresses outside the cluster may be.",
            rich_help_panel=JUDGING,
            show_default="exact",
        ),
    ] = External.EXACT,
    include_system: Annotated[
        bool,
        typer.Option(
            "--include-system",
            help="Learn policies for system namespaces too.",
            rich_help_panel=JUDGING,
        ),
    ] = False,
    cni: Cni = None,
    fail_on: Annotated[
        list[Finding],
        typer.Option(
            metavar="blocked|quarantine",
            help="End with 1 if an accepted record would be denied (always), or if a question"
            " is open. Repeatable.",
            rich_help_panel=RESULT,
            show_default="blocked",
        ),
    ] = [Finding.BLOCKED],  # noqa: B006
    shape: Shape = Format.TEXT,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Learn the smallest policies that let the accepted traffic through, and prove them.

    What may be applied lands in DIR/policies, what waits for an answer in DIR/pending. If a
    record that was accepted would be denied, nothing is written.
    """
    from synth.commands import learn as command
    from synth.learner.model import Answer
    from synth.outputs.folder import check_target
    from synth.reports import learn as report

    check_target(out)
    request = command.LearnRequest(
        flows=tuple(flows),
        cluster=tuple(cluster),
        out=out,
        source=source,
        fields=fields_of(fields),
        ranges=ranges_of(pod_cidr, service_cidr, node_cidr),
        addresses=tuple(addresses),
        accept=tuple(accept),
        assume=Answer(assume.value) if assume else None,
        external=external.value,
        include_system=include_system,
        threads=threads_of(threads),
        cni=cni,
    )
    with watched(quiet=quiet) as progress:
        result = command.learn(request, progress)
    show(shape, lambda: report.to_page(result, str(out)), lambda: report.to_json(result))
    warn(report.warnings_of(result), quiet=quiet)
    raise typer.Exit(int(has_findings(result, fail_on)))


def has_findings(result: "LearnResult", fail_on: list[Finding]) -> bool:
    """Return whether learning ends with 1."""
    waiting = any(question.answer is None for question in result.learned.questions)
    return bool(result.blocked) or (Finding.QUARANTINE in fail_on and waiting)

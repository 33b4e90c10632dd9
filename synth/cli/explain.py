"""``synth explain``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth.cli.explain_words import port_of, row_of, rule_of
from synth.cli.options import (
    READING,
    Addresses,
    Cluster,
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
    from synth.commands.explain_reading import Reading
    from synth.engines.local import Report
    from synth.reports.page import Page

EXAMPLES = """\
synth explain --from shop/web --to shop/db --port 3306 \\
    --cluster cluster/ --policies learned/policies
synth explain flows/ --row flows/node1.log:482 --cluster cluster/ \\
    --policies learned/policies
synth explain --rule 'shop/db:ingress[0]' --learned learned --cluster cluster/
synth explain --denied drops.json --cluster cluster/ \\
    --policies learned/policies"""

ASKED = "The question, one of"
FLOW = ("--from", "--to", "--port")
QUESTIONS = "--from with --to and --port, --row, --rule, or --denied"


def explain(  # noqa: PLR0913 - one parameter for each option
    *,
    flows: Annotated[
        list[str],
        typer.Argument(
            metavar="[FLOWS...]",
            help="Flow logs around what is asked: files, folders, globs.",
            show_default=False,
        ),
    ] = [],  # noqa: B006
    source_end: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="WHO",
            help="A flow's client: namespace/workload, namespace/pod, or an address.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ] = None,
    destination: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="WHO",
            help="Its server, in the same words.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        str | None,
        typer.Option(
            metavar="N[/PROTO]",
            help="The server's port; TCP unless /UDP or /SCTP follows.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ] = None,
    row: Annotated[
        str | None,
        typer.Option(
            metavar="FILE:N",
            help="A record, by its line, or its row in Parquet, from 1.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="A rule, such as shop/db:ingress[0]. Needs FLOWS, or --learned.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ] = None,
    denied: Annotated[
        list[str],
        typer.Option(
            metavar="LOG",
            help="A denial log: Hubble, AWS network policy agent, Calico, NFLOG. Repeatable.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ] = [],  # noqa: B006
    policies: Annotated[
        list[str],
        typer.Option(
            metavar="PATH",
            help="NetworkPolicies as YAML or JSON, or a folder of them. Repeatable.",
            rich_help_panel=READING,
            show_default="those of the cluster files",
        ),
    ] = [],  # noqa: B006
    learned: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="What `synth learn` wrote: the policies and the evidence of a rule.",
            rich_help_panel=READING,
            show_default=False,
        ),
    ] = None,
    cluster: Cluster = [],  # noqa: B006
    source: Source = None,
    fields: Fields = [],  # noqa: B006
    pod_cidr: PodCidr = [],  # noqa: B006
    service_cidr: ServiceCidr = [],  # noqa: B006
    node_cidr: NodeCidr = [],  # noqa: B006
    addresses: Addresses = [],  # noqa: B006
    shape: Shape = Format.TEXT,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Say why a flow, a record or a denied packet is allowed or not; or what a rule rests on."""
    asked = {"--row": row, "--rule": rule, "--denied": denied or None}
    flow = (source_end, destination, port)
    given = [name for name, one in asked.items() if one is not None]
    _check([*(["--from"] if any(one is not None for one in flow) else []), *given], learned)
    from synth.commands.explain_reading import Reading

    reading = Reading(
        flows=tuple(flows),
        cluster=tuple(cluster),
        policies=tuple(policies),
        source=source,
        fields=fields_of(fields),
        ranges=ranges_of(pod_cidr, service_cidr, node_cidr),
        addresses=tuple(addresses),
        threads=threads_of(threads),
    )
    with watched(quiet=quiet) as progress:
        if row is not None:
            answer = _row(row, reading, progress)
        elif rule is not None:
            answer = _rule(rule, learned, reading, progress)
        elif denied:
            answer = _denied(denied, reading, progress)
        else:
            answer = _flow(flow, reading)
    show(shape, answer.page, answer.values)
    warn(answer.warnings, quiet=quiet)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown, in either form, and what is warned of."""

    page: "Callable[[], Page]"
    values: Callable[[], object]
    warnings: tuple[str, ...] = ()


def _check(questions: Sequence[str], learned: Path | None) -> None:
    """Raise unless exactly one question is asked, and ``--learned`` goes with its own."""
    if len(questions) != 1:
        got = " and ".join(questions) or "no question"
        raise UsageError(Fault("synth explain", f"one question: {QUESTIONS}", got))
    if learned is not None and questions != ["--rule"]:
        raise UsageError(Fault("--learned", "--rule", questions[0]))


def _flow(flow: Sequence[str | None], reading: "Reading") -> Answer:
    from synth.commands import explain as command
    from synth.reports import explain as report

    source, destination, port = flow
    if not source or not destination or not port:
        missing = [name for name, one in zip(FLOW, flow, strict=True) if not one]
        raise UsageError(Fault("synth explain", "--from, --to and --port", f"no {missing[0]}"))
    if reading.flows:
        got = f"FLOWS ({reading.flows[0]})"
        raise UsageError(Fault("synth explain", "no logs with --from, --to and --port", got))
    protocol, number = port_of(port)
    found = command.explain(
        command.ExplainRequest(
            source=source,
            destination=destination,
            protocol=protocol,
            port=number,
            cluster=reading.cluster,
            policies=reading.policies,
            ranges=reading.ranges,
            addresses=reading.addresses,
        )
    )
    return Answer(lambda: report.to_page(found), lambda: report.to_json(found))


def _row(row: str, reading: "Reading", progress: "Report") -> Answer:
    from synth.commands import explain_row as command
    from synth.reports import explain_row as report

    found = command.explain_row(command.RowRequest(*row_of(row), reading), progress)
    return Answer(lambda: report.to_page(found), lambda: report.to_json(found), found.warnings)


def _rule(rule: str, learned: Path | None, reading: "Reading", progress: "Report") -> Answer:
    from synth.commands import explain_rule as command
    from synth.reports import explain_rule as report

    request = command.RuleRequest(rule_of(rule), reading, learned)
    found = command.explain_rule(request, progress)
    return Answer(lambda: report.to_page(found), lambda: report.to_json(found), found.warnings)


def _denied(logs: Sequence[str], reading: "Reading", progress: "Report") -> Answer:
    from synth.commands import explain_denied as command
    from synth.reports import explain_denied as report

    found = command.explain_denied(command.DeniedRequest(tuple(logs), reading), progress)
    return Answer(lambda: report.to_page(found), lambda: report.to_json(found), found.warnings)

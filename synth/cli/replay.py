"""``synth replay``."""

from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from synth.cli.choices import Choose, Compare, chosen_of, compared_of
from synth.cli.options import (
    JUDGING,
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

if TYPE_CHECKING:
    from synth.dialects.decisions import Key
    from synth.proof.replay import Replay

EXAMPLES = """\
synth replay flows/ --cluster cluster/ --policies learned/policies
synth replay flows/ --cluster cluster/ --policies learned/policies \\
    --quarantine learned/quarantine.yaml --fail-on denied --format markdown
synth replay flows/ --cluster cluster/ --policies learned/policies \\
    --choose ip-block-pods=no --compare all"""


class Finding(StrEnum):
    """What makes replaying end with 1."""

    DENIED = "denied"
    BLOCKED = "blocked"
    UNDETERMINED = "undetermined"


def replay(  # noqa: PLR0913 - one parameter for each option
    *,
    flows: Flows,
    policies: Policies,
    cluster: Cluster = [],  # noqa: B006
    source: Source = None,
    fields: Fields = [],  # noqa: B006
    pod_cidr: PodCidr = [],  # noqa: B006
    service_cidr: ServiceCidr = [],  # noqa: B006
    node_cidr: NodeCidr = [],  # noqa: B006
    addresses: Addresses = [],  # noqa: B006
    cni: Cni = None,
    choose: Choose = [],  # noqa: B006
    compare: Compare = [],  # noqa: B006
    quarantine: Annotated[
        list[str],
        typer.Option(
            metavar="FILE",
            help="quarantine.yaml of a learned folder: traffic known to be unwanted. Repeatable.",
            rich_help_panel=JUDGING,
            show_default=False,
        ),
    ] = [],  # noqa: B006
    fail_on: Annotated[
        list[Finding],
        typer.Option(
            metavar="denied|blocked|undetermined",
            help="End with 1 if a record is denied that is not known to be unwanted; if an"
            " accepted one is; or if the verdict of a record is open. Repeatable.",
            rich_help_panel=RESULT,
            show_default="denied",
        ),
    ] = [Finding.DENIED],  # noqa: B006
    shape: Shape = Format.TEXT,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Say of every logged record whether policies would allow or deny it."""
    from synth.commands import replay as command
    from synth.dialects.decisions import read_unwanted
    from synth.reports import replay as report

    unwanted = read_unwanted(quarantine)
    request = command.ReplayRequest(
        flows=tuple(flows),
        cluster=tuple(cluster),
        policies=tuple(policies),
        source=source,
        fields=fields_of(fields),
        ranges=ranges_of(pod_cidr, service_cidr, node_cidr),
        addresses=tuple(addresses),
        quarantine=tuple(quarantine),
        choices=chosen_of(choose),
        compare=compared_of(compare),
        threads=threads_of(threads),
        cni=cni,
    )
    with watched(quiet=quiet) as progress:
        result = command.replay(request, progress)
    show(shape, lambda: report.to_page(result), lambda: report.to_json(result))
    warn(report.warnings_of(result), quiet=quiet)
    raise typer.Exit(int(has_findings(result.replay, fail_on, unwanted)))


HARMLESS = "rejected"
"""What the screen says of contacts that failed anyway."""


def has_findings(
    replay: "Replay", fail_on: Collection[Finding], unwanted: "Collection[Key]" = ()
) -> bool:
    """Return whether replaying ends with 1; ``unwanted`` is known to be so."""
    from synth.proof.replay import Verdict

    denied = (one for one in replay.denials if one.screening != HARMLESS)
    found = {
        Finding.DENIED: any(
            (one.source, one.destination, one.protocol, one.port) not in unwanted for one in denied
        ),
        Finding.BLOCKED: replay.blocked > 0,
        Finding.UNDETERMINED: replay.count(Verdict.UNDETERMINED) > 0,
    }
    return any(found[finding] for finding in fail_on)

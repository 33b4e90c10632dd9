"""``synth explain``."""

from typing import TYPE_CHECKING, Annotated

import typer

from synth.cli.options import (
    Cluster,
    Format,
    NodeCidr,
    PodCidr,
    Policies,
    Quiet,
    ServiceCidr,
    Shape,
    ranges_of,
)
from synth.cli.output import show
from synth.errors import Fault, UsageError

if TYPE_CHECKING:
    from synth.policy.ports import Protocol

EXAMPLES = """\
synth explain --from shop/web --to shop/db --port 3306 \\
    --cluster cluster/ --policies learned/policies
synth explain --from 203.0.113.7 --to shop/web --port 53/UDP \\
    --cluster cluster/ --policies learned/policies --format json"""

ASKED = "The question"


def explain(  # noqa: PLR0913 - one parameter for each option
    *,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="WHO",
            help="The client: namespace/workload, namespace/pod, or an address.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ],
    destination: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="WHO",
            help="The server, in the same words.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ],
    port: Annotated[
        str,
        typer.Option(
            metavar="N[/PROTO]",
            help="The server's port; TCP unless /UDP or /SCTP follows.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ],
    policies: Policies,
    cluster: Cluster = [],  # noqa: B006
    pod_cidr: PodCidr = [],  # noqa: B006
    service_cidr: ServiceCidr = [],  # noqa: B006
    node_cidr: NodeCidr = [],  # noqa: B006
    shape: Shape = Format.TEXT,
    quiet: Quiet = False,  # noqa: ARG001 - taken everywhere, so that scripts need not care
) -> None:
    """Say whether policies let one connection through, and which rules decide it."""
    protocol, number = port_of(port)
    from synth.commands import explain as command
    from synth.reports import explain as report

    request = command.ExplainRequest(
        source=source,
        destination=destination,
        protocol=protocol,
        port=number,
        cluster=tuple(cluster),
        policies=tuple(policies),
        ranges=ranges_of(pod_cidr, service_cidr, node_cidr),
    )
    found = command.explain(request)
    show(shape, lambda: report.to_page(found), lambda: report.to_json(found))


def port_of(text: str) -> "tuple[Protocol, int]":
    """Return protocol and number of ``N[/PROTO]``.

    >>> port_of("53/udp")[1]
    53

    Raises
    ------
    UsageError
        If the text is neither.

    """
    from synth.policy.ports import LAST_PORT, Protocol

    number, _, name = text.partition("/")
    protocol = (name or "TCP").upper()
    digits = number.isascii() and number.isdigit()
    if not digits or not 1 <= int(number[:6]) <= LAST_PORT or protocol not in set(Protocol):
        expected = f"a port of 1 to {LAST_PORT}, alone or followed by /TCP, /UDP or /SCTP"
        raise UsageError(Fault("--port", expected, repr(text)))
    return Protocol(protocol), int(number)

"""The arguments and options that commands share, so that a word means the same everywhere."""

import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth.errors import Fault, UsageError

if TYPE_CHECKING:
    from synth.inventory.model import Ranges

READING = "Reading"
JUDGING = "Judging"
RESULT = "Result"


class Format(StrEnum):
    """How a result is written to standard output."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class Assume(StrEnum):
    """The answer to every question that no file answers."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class External(StrEnum):
    """How wide a rule may be that speaks of addresses outside the cluster."""

    EXACT = "exact"


Flows = Annotated[
    list[str],
    typer.Argument(
        metavar="FLOWS...",
        help="Flow logs: files, folders, globs; the format of each is recognised.",
        show_default=False,
    ),
]
Cluster = Annotated[
    list[str],
    typer.Option(
        metavar="PATH",
        help="What `kubectl get ... -o json` or `-o yaml` printed, or a folder of it. Repeatable.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Policies = Annotated[
    list[str],
    typer.Option(
        metavar="PATH",
        help="NetworkPolicies as YAML or JSON, or a folder of them. Repeatable.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT",
        help="Insist on a format of the flow logs instead of recognising it.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Fields = Annotated[
    list[str],
    typer.Option(
        metavar="NAMES",
        help="Names of the fields, in order, where a log has no header; separated by commas.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
PodCidr = Annotated[
    list[str],
    typer.Option(
        metavar="CIDR",
        help="A range that pods get addresses from. Repeatable.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
ServiceCidr = Annotated[
    list[str],
    typer.Option(
        metavar="CIDR",
        help="A range that Services get addresses from. Repeatable.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
NodeCidr = Annotated[
    list[str],
    typer.Option(
        metavar="CIDR",
        help="A range that nodes get addresses from. Repeatable.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Addresses = Annotated[
    list[str],
    typer.Option(
        metavar="FILE",
        help="Names of addresses outside: YAML of name: CIDR, or the JSON of `aws ec2"
        " describe-network-interfaces`. Repeatable.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Cni = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The network plugin that enforces policies: kube-router, calico, canal, romana,"
        " weave-net, cilium, antrea, ovn-kubernetes, aws-vpc-cni, kube-network-policies, kindnet,"
        " flannel; or unknown.",
        rich_help_panel=JUDGING,
        show_default="recognised in the cluster files",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Threads that read; the result does not depend on their number.",
        show_default="all cores",
    ),
]
Shape = Annotated[
    Format,
    typer.Option(
        "--format",
        metavar="text|json|markdown",
        help="How the result is written.",
        rich_help_panel=RESULT,
        show_default="text",
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="No progress and no warnings on standard error.")
]
Out = Annotated[
    Path,
    typer.Option(
        metavar="DIR",
        help="The folder to write, whole or not at all; it may hold an earlier result.",
        rich_help_panel=RESULT,
        show_default=False,
    ),
]


def threads_of(wanted: int | None) -> int:
    """Return the number of threads: as wanted, else the cores this process may use."""
    return wanted or len(os.sched_getaffinity(0))


def fields_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names, which commas or spaces separate.

    >>> fields_of(["srcaddr,dstaddr", "action"])
    ('srcaddr', 'dstaddr', 'action')
    """
    return tuple(name for text in texts for name in text.replace(",", " ").split())


def ranges_of(pods: list[str], services: list[str], nodes: list[str]) -> "Ranges":
    """Return the declared ranges.

    Raises
    ------
    UsageError
        If one is not a CIDR; all that are not are named.

    """
    from synth.inventory.model import Ranges

    given = {"--pod-cidr": pods, "--service-cidr": services, "--node-cidr": nodes}
    faults = [_cidr_fault(flag, text) for flag, texts in given.items() for text in texts]
    found = [fault for fault in faults if fault]
    if found:
        raise UsageError(*found)
    return Ranges(tuple(pods), tuple(services), tuple(nodes))


def _cidr_fault(flag: str, text: str) -> Fault | None:
    from synth.policy.address import parse_network

    try:
        parse_network(text)
    except ValueError:
        return Fault(flag, "a range such as 10.244.0.0/16", repr(text))
    return None

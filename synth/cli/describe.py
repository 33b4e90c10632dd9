"""``synth describe``."""

from synth.cli.options import Fields, Flows, Format, Quiet, Shape, Source, fields_of
from synth.cli.output import show, warn

EXAMPLES = """\
synth describe flows/
synth describe 'flows/*.log.gz' --format json
synth describe vpc.log --source vpc --fields srcaddr,dstaddr,srcport,dstport"""


def describe(
    *,
    flows: Flows,
    source: Source = None,
    fields: Fields = [],  # noqa: B006 - typer copies it
    shape: Shape = Format.TEXT,
    quiet: Quiet = False,
) -> None:
    """Say what flow logs hold: format, span, records, and what is missing for learning."""
    from synth.commands import describe as command
    from synth.reports import describe as report

    found = command.describe(tuple(flows), source=source, fields=fields_of(fields))
    show(shape, lambda: report.to_page(found), lambda: report.to_json(found))
    warn(report.warnings_of(found), quiet=quiet)

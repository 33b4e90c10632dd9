"""Help pages that load nothing: options by panel, examples as written."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from typer.core import TyperCommand, TyperGroup

GENERAL = "Options"


class Command(TyperCommand):
    """A command whose help groups options by their panel and leaves its epilog unwrapped."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - hidden types
        """Return what follows the command's name in its usage."""
        words = [_term(one) for one in self.params if one.param_type_name == "argument"]
        return ["[OPTIONS]", *words]

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write the arguments, then one section for each panel."""
        _write_sections(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002
        """Write the examples."""
        _write_examples(self.epilog, formatter)


class Group(TyperGroup):
    """The program itself, with the same help pages."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write the commands first: they are what a reader looks for."""
        self.format_commands(ctx, formatter)
        _write_sections(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002
        """Write the examples."""
        _write_examples(self.epilog, formatter)


def _write_sections(command: Any, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
    for panel, rows in groupby(_rows(command.get_params(ctx)), key=lambda row: row[0]):
        with formatter.section(panel):
            formatter.write_dl([(term, text) for _, term, text in rows], col_max=26)


def _rows(parameters: list[Any]) -> list[tuple[str, str, str]]:
    """Return panel, term and help of each parameter; general options stand last."""
    rows = [(_panel(one), _term(one), _help(one)) for one in parameters if not _hidden(one)]
    order = list(dict.fromkeys(panel for panel, _, _ in rows))
    return sorted(rows, key=lambda row: (row[0] == GENERAL, order.index(row[0])))


def _hidden(parameter: Any) -> bool:  # noqa: ANN401
    return bool(getattr(parameter, "hidden", False))


def _panel(parameter: Any) -> str:  # noqa: ANN401
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or GENERAL


def _term(parameter: Any) -> str:  # noqa: ANN401
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    names = ", ".join(sorted((*parameter.opts, *parameter.secondary_opts), key=len))
    flag = getattr(parameter, "is_flag", False)
    return names if flag else f"{names} {parameter.metavar or 'VALUE'}"


def _help(parameter: Any) -> str:  # noqa: ANN401
    return " ".join(_notes(parameter))


def _notes(parameter: Any) -> Iterator[str]:  # noqa: ANN401
    yield parameter.help or ""
    if parameter.required:
        yield "[required]"
    elif isinstance(parameter.show_default, str):
        yield f"[default: {parameter.show_default}]"


def _write_examples(epilog: str | None, formatter: Any) -> None:  # noqa: ANN401
    if not epilog:
        return
    with formatter.section("Examples"):
        for line in epilog.splitlines():
            formatter.write(f"  {line}".rstrip() + "\n")

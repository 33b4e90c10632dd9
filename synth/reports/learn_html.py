"""What ``synth learn`` found, as one page for a browser that loads nothing else."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

import synth
from synth.dialects.kubernetes.write import to_yaml
from synth.policy.model import PolicySet
from synth.proof.results import LearnResult
from synth.reports.enforcement import loud_sections
from synth.reports.figures import number, seen, span
from synth.reports.graph import BOX_HEIGHT, BOX_WIDTH, draw
from synth.reports.learn import to_page
from synth.reports.page import Commands, Items, Prose, Table, Tone, clean

_KINDS = {Prose: "prose", Items: "items", Table: "table", Commands: "commands"}


def to_html(result: LearnResult) -> str:
    """Return the page; it names no folder and no time of its making."""
    learned = result.learned
    times = seen(result.edges)
    loud = len(loud_sections(result.enforcement))
    page = to_page(result, "DIR")
    return _template().render(
        version=synth.__version__,
        page=page,
        loud=page.sections[:loud],
        sections=page.sections[loud:],
        span=span(*times) if times else "",
        facts=_facts(result),
        graph=draw(learned),
        box=(BOX_WIDTH, BOX_HEIGHT),
        policies=_texts(learned.policies),
        pending=_texts(learned.pending),
    )


def _facts(result: LearnResult) -> list[tuple[str, str, str]]:
    """Return label, value, and the style of the value."""
    learned = result.learned
    waiting = sum(question.answer is None for question in learned.questions)
    records = sum(one.records for one in result.inputs)
    return [
        ("records read", number(records), ""),
        ("roles", number(len(learned.roles)), ""),
        ("policies ready", number(len(learned.policies)), ""),
        ("open questions", number(waiting), "waits" if waiting else ""),
        ("accepted, but denied", number(result.blocked), "bad" if result.blocked else ""),
    ]


def _texts(policies: PolicySet) -> list[tuple[str, str]]:
    return [(str(policy), to_yaml(policy)) for policy in policies]


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("synth.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["clean"] = clean
    environment.filters["kind"] = lambda block: _KINDS[type(block)]
    environment.filters["slug"] = lambda title: "".join(c if c.isalnum() else "-" for c in title)
    environment.globals["BAD"] = Tone.BAD
    environment.globals["GOOD"] = Tone.GOOD
    return environment.get_template("learn.html.j2")

"""What ``synth learn`` found, as a page and as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from shlex import quote

from synth.learner.model import Learned, Question, Role, Subject
from synth.policy.model import Direction, Policy, PolicySet
from synth.proof.replay import Verdict
from synth.proof.results import LearnResult, Need, Replaced, Stage
from synth.reports.counts import ledger_table, matrix_table, plain_ledger
from synth.reports.enforcement import (
    loud_sections,
    plain_enforcement,
    quiet_sections,
    warnings_about,
)
from synth.reports.envelope import envelope
from synth.reports.figures import counted, number, seen, span
from synth.reports.page import (
    Block,
    Column,
    Commands,
    Items,
    Page,
    Prose,
    Section,
    Table,
    Tone,
    shortened,
)
from synth.reports.questions import answered_blocks, open_blocks
from synth.reports.replay import (
    bottom_line,
    denial_blocks,
    files_blocks,
    folder_of,
    plain_replay,
)
from synth.reports.sentences import Names, names_of, subject_sentences


def to_page(result: LearnResult, out: str) -> Page:
    """Return the report of what was learned into the folder ``out``."""
    learned = result.learned
    return Page(
        _title(result),
        (
            *loud_sections(result.enforcement),
            Section("Read", (*files_blocks(result.inputs), *_span(result))),
            Section("Where every record went", (_ledger(result),)),
            Section("Roles", _roles(learned.roles), folded=True),
            Section("Learned" if result.blocked else "Ready to apply", _ready(result)),
            Section("Waiting for an answer", _waiting(result)),
            Section("Answered", answered_blocks(learned.questions)),
            Section("Left open: no evidence", _silent(learned)),
            Section("Replay: screening by verdict, in records", _replay(result)),
            Section("Stages, in the order to apply", _stages(result.stages), folded=True),
            Section("Existing policies that still admit more", _items(result.overridden)),
            Section("Policies that synth applied before", _items(_told(result.replaces))),
            Section("Policies of other kinds, not evaluated", _items(result.elsewhere)),
            *quiet_sections(result.enforcement),
            Section("Warnings", _items(_warnings(result))),
            Section("Next", _next(result, out)),
        ),
    )


def to_json(result: LearnResult) -> dict[str, object]:
    """Return the keys that programs may rely on."""
    learned = result.learned
    return envelope(
        {
            **plain_replay(result.replay),
            "records": _records(result),
            "inputs": [asdict(one) for one in result.inputs],
            "ledger": plain_ledger(result.ledger),
            "roles": [_plain_role(role) for role in learned.roles],
            "policies": _plain_policies(learned.policies),
            "pending": _plain_policies(learned.pending),
            "questions": [plain_question(one) for one in learned.questions],
            "silent": [{"role": role, "direction": way.value} for role, way in learned.silent],
            "stages": [_plain_stage(stage) for stage in result.stages],
            "overridden": list(result.overridden),
            "replaces": [_plain_replaced(one) for one in result.replaces],
            "need": plain_need(result.need),
            "elsewhere": list(result.elsewhere),
            "cni": plain_enforcement(result.enforcement),
            "warnings": list(warnings_of(result)),
        }
    )


def warnings_of(result: LearnResult) -> tuple[str, ...]:
    """Return what a user should know even if nobody reads the report."""
    about = warnings_about(result.enforcement)
    return (*about, *_warnings(result), *_told(result.replaces))


def _warnings(result: LearnResult) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*result.warnings, *result.learned.warnings, *_needless(result))))


def _needless(result: LearnResult) -> Iterable[str]:
    for one in result.need.redundant or ():
        yield f"{one} could go without denying an accepted record"


def _told(replaces: Iterable[Replaced]) -> tuple[str, ...]:
    return tuple(one.told for one in replaces)


def plain_need(need: Need) -> dict[str, object]:
    """Return what of the policies could go, as plain values; null if that was not tried."""
    found = need.redundant
    return {"terms": need.terms, "redundant": None if found is None else [*map(str, found)]}


def plain_question(question: Question) -> dict[str, object]:
    """Return the question as plain values."""
    return {
        "key": question.key,
        "kind": question.kind,
        "question": question.text,
        "concerns": [f"{way.value} of {role}" for role, way in question.concerns],
        "evidence": question.evidence,
        "records": question.records,
        "answer": question.answer.value if question.answer else None,
    }


def _records(result: LearnResult) -> int:
    return sum(one.records for one in result.inputs)


def _title(result: LearnResult) -> str:
    learned = result.learned
    if result.blocked:
        told = "stopped, nothing is written"
    else:
        waiting = sum(question.answer is None for question in learned.questions)
        told = f"{_policies(len(learned.policies))} ready, {counted(waiting, 'open question')}"
    return f"synth learn: {told}"


def _ledger(result: LearnResult) -> Table:
    return ledger_table(result.ledger, _records(result), folder_of(result.inputs))


def _policies(count: int) -> str:
    return f"{number(count)} {'policy' if count == 1 else 'policies'}"


def _span(result: LearnResult) -> tuple[Block, ...]:
    times = seen(result.edges)
    return (Prose(f"From {span(*times)}."),) if times else ()


def _roles(roles: Sequence[Role]) -> tuple[Block, ...]:
    if not roles:
        return ()
    columns = (Column("Role"), Column("Pods", number=True), Column("Selector"))
    rows = [
        (str(role), number(len(role.pods)), str(role.selector) if role.selector else "none exact")
        for role in roles
    ]
    return shortened(Table(columns, tuple(rows)))


def _ready(result: LearnResult) -> tuple[Block, ...]:
    learned = result.learned
    ready = [subject for subject in learned.subjects if subject.ready]
    if not ready:
        return (Prose("Nothing yet: every direction has an open question.", Tone.BAD),)
    return shortened(_sentences(ready, names_of(learned, result.inventory)))


def _sentences(subjects: Iterable[Subject], names: Names) -> Table:
    rows: list[tuple[str, str]] = []
    before = ""
    for subject in subjects:
        for sentence in subject_sentences(subject, names):
            role = str(subject.role)
            rows.append(("" if role == before else role, sentence))
            before = role
    return Table((Column("Role"), Column("Rule")), tuple(rows))


def _waiting(result: LearnResult) -> tuple[Block, ...]:
    learned = result.learned
    waiting = [one for one in learned.subjects if not one.ready and not one.left_open]
    still_open = [question for question in learned.questions if question.answer is None]
    if not waiting and not still_open:
        return ()
    blocks = open_blocks(still_open)
    if waiting:
        blocks.append(Prose("If every open question were refused:"))
        blocks += shortened(_sentences(waiting, names_of(learned, result.inventory)))
    return tuple(blocks)


def _silent(learned: Learned) -> tuple[Block, ...]:
    ways = {way: ", ".join(role for role, one in learned.silent if one is way) for way in Direction}
    return tuple(
        Prose(f"{way.value}: {roles}.", Tone.QUIET) for way, roles in ways.items() if roles
    )


def _replay(result: LearnResult) -> tuple[Block, ...]:
    replay = result.replay
    blocked = [one for one in replay.denials if one.screening == "accepted"]
    return (
        matrix_table(replay),
        *bottom_line(replay),
        *_need(result),
        *denial_blocks(blocked, folder_of(result.inputs)),
    )


def _need(result: LearnResult) -> tuple[Block, ...]:
    """Return in one sentence whether every learned peer, port and rule is needed."""
    need = result.need
    if not need.terms or result.blocked:
        return ()
    if need.redundant is None:
        size = f"{counted(need.terms, 'term')}, which are too many to be tried"
        return (Prose(f"Not known whether every part is needed: {size}.", Tone.QUIET),)
    if need.redundant:
        told = f"{counted(len(need.redundant), 'part')} of the policies could go: see the warnings."
        return (Prose(told, Tone.BAD),)
    told = "Every learned peer, port and rule is needed: taking one away denies an accepted record."
    return (Prose(told, Tone.GOOD),)


def _stages(stages: Sequence[Stage]) -> tuple[Block, ...]:
    if not stages:
        return ()
    rows = [
        (
            stage.title,
            number(len(stage.policies)),
            number(stage.replay.count(Verdict.DENIED)),
            number(stage.replay.blocked),
        )
        for stage in stages
    ]
    titles = ("Policies", "Denied", "Accepted but denied")
    columns = (Column("Stage"), *(Column(title, number=True) for title in titles))
    return (Table(columns, tuple(rows)),)


def _items(texts: Sequence[str]) -> tuple[Block, ...]:
    return (Items(tuple(texts)),) if texts else ()


def _next(result: LearnResult, out: str) -> tuple[Block, ...]:
    if result.blocked:
        told = (
            "Nothing is written, because accepted records would be denied: the replay above names"
            " them. An existing policy may isolate the other side; otherwise synth is at fault."
        )
        return (Prose(told, Tone.BAD),)
    lines = []
    if len(result.learned.policies):
        lines += [
            f"kubectl diff -k {quote(out)}/policies",
            f"kubectl apply -k {quote(out)}/policies",
        ]
    told = f"{out} holds the policies, the questions, the evidence, and report.html for people."
    blocks: list[Block] = [Prose(told)]
    if lines:
        blocks.append(Commands(tuple(lines)))
    if any(question.answer is None for question in result.learned.questions):
        blocks.append(Prose("Answer a copy of quarantine.yaml, then learn again with it:"))
        blocks.append(
            Commands(
                (
                    f"cp {quote(out)}/quarantine.yaml answers.yaml",
                    "synth learn ... --accept answers.yaml",
                )
            )
        )
    return tuple(blocks)


def _plain_role(role: Role) -> dict[str, object]:
    return {
        "role": str(role),
        "namespace": role.namespace,
        "name": role.name,
        "workloads": list(role.workloads),
        "pods": list(role.pods),
        "selector": str(role.selector) if role.selector else None,
    }


def _plain_policies(policies: PolicySet) -> list[dict[str, object]]:
    return [_plain_policy(policy) for policy in policies]


def _plain_policy(policy: Policy) -> dict[str, object]:
    ways = {way: policy.rules(way) for way in Direction}
    return {
        "namespace": policy.namespace,
        "name": policy.name,
        "pods": str(policy.pods),
        **{
            way.value.lower(): None if rules is None else [str(rule) for rule in rules]
            for way, rules in ways.items()
        },
    }


def _plain_replaced(one: Replaced) -> dict[str, object]:
    return {
        "policy": one.policy,
        "loses": one.loss.value,
        "direction": one.direction.value if one.direction else None,
        "told": one.told,
        "questions": list(one.questions),
    }


def _plain_stage(stage: Stage) -> dict[str, object]:
    replay = stage.replay
    return {
        "title": stage.title,
        "policies": [str(policy) for policy in stage.policies],
        "matrix": plain_replay(replay)["matrix"],
        "blocked": replay.blocked,
    }

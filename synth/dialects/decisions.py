"""Questions as YAML that a person answers, and the answers read again.

A file holds two documents. The first is a list, one entry a question; only ``key`` and ``answer``
are read again. The second, ``not-learned``, lists the edges that no rule admits, so that a later
replay knows what is unwanted.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeVar

import yaml

from synth.dialects.kubernetes.documents import read_documents
from synth.dialects.kubernetes.nodes import Faults, Node
from synth.errors import Fault

Word = TypeVar("Word", bound=StrEnum)

_ESCAPE = re.compile(r"\\(?:u(?P<high>d[89ab]\w\w)\\u(?P<low>d[c-f]\w\w)|.)")

Key = tuple[str, str, str, int]
"""Client, server, protocol and port, in words."""

NOT_LEARNED = "not-learned"
ACCEPT = "accept"

HEADER = """\
# What synth did not learn without asking. To answer, copy this file, and set in each entry
#
#   answer: accept    the traffic is wanted: learn a rule for it
#   answer: refuse    the traffic is unwanted: let the policies deny it
#
# Of the kind blind-spot, which asks about traffic that the logs cannot show:
#
#   answer: accept    isolate the direction all the same: I know that nothing else is needed
#   answer: refuse    leave the direction open
#
# and pass the copy with --accept FILE. Entries without an answer stay open, and what they concern
# stays out of the policies to apply. Nothing but key and answer is read.
"""

FOOTER = """\
# Traffic that became no rule. It needs no answer; `synth replay --quarantine` reads it.
"""


class Asked(Protocol):
    """A question, as the learner has it."""

    @property
    def key(self) -> str:
        """A short, stable hash of what is asked."""

    @property
    def kind(self) -> str:
        """Why it is asked."""

    @property
    def text(self) -> str:
        """The question in one sentence."""

    @property
    def concerns(self) -> Iterable[tuple[str, StrEnum]]:
        """Roles and directions that wait for it."""

    @property
    def records(self) -> int:
        """How many records it is about."""

    @property
    def evidence(self) -> str:
        """What speaks for one or the other answer."""

    @property
    def answer(self) -> StrEnum | None:
        """What a person said."""


@dataclass(frozen=True, slots=True, order=True)
class Traffic:
    """An edge that was not learned, in words."""

    client: str
    server: str
    protocol: str
    port: int
    screening: str = ""
    reason: str = ""
    records: int = 0
    example: str = ""

    @property
    def key(self) -> Key:
        """Client, server, protocol and port."""
        return self.client, self.server, self.protocol, self.port


def write_questions(
    questions: Sequence[Asked],
    asked: Mapping[str, Traffic] | None = None,
    others: Sequence[Traffic] = (),
) -> str:
    """Return YAML: the questions, with the traffic ``asked`` about, and traffic not learned."""
    entries = [_entry(one, (asked or {}).get(one.key)) for one in questions]
    text = yaml.dump_all(
        [entries],
        Dumper=yaml.SafeDumper,
        allow_unicode=True,
        default_flow_style=False,
        sort_keys=False,
        width=90,
    )
    lines = "".join(f"- {_line(one)}\n" for one in others)
    rest = f"{NOT_LEARNED}:\n{lines}" if others else f"{NOT_LEARNED}: []\n"
    return f"{HEADER}{text}---\n{FOOTER}{rest}"


def _line(traffic: Traffic) -> str:
    """Return the traffic as JSON that YAML reads alike: it knows no pairs of surrogates."""
    return _ESCAPE.sub(_whole_escape, json.dumps(asdict(traffic)))


def _whole_escape(found: re.Match[str]) -> str:
    if not found["high"]:
        return found[0]
    code = 0x10000 + (int(found["high"], 16) - 0xD800) * 0x400 + int(found["low"], 16) - 0xDC00
    return f"\\U{code:08x}"


def _entry(question: Asked, traffic: Traffic | None) -> dict[str, object]:
    fields: dict[str, object] = {
        "key": question.key,
        "question": question.text,
        "kind": question.kind,
        "concerns": [f"{way.value} of {role}" for role, way in question.concerns],
        "evidence": question.evidence,
        "records": question.records,
    }
    if traffic:
        fields["traffic"] = {"example": traffic.example} | dict(
            zip(("client", "server", "protocol", "port"), traffic.key, strict=True)
        )
    return {**fields, "answer": question.answer.value if question.answer else None}


def read_answers(
    paths: Sequence[str | Path], words: type[Word], *, open_as: Word | None = None
) -> Mapping[str, Word]:
    """Return key → answer, in words of the given enum.

    Entries that nobody has answered are left out, or count as ``open_as``.

    Raises
    ------
    InputError
        If a file cannot be read, an entry is none, an answer is no word of the enum, or two
        answers to one question differ; the faults of all files together.

    """
    faults = Faults()
    answers: dict[str, tuple[Word, str]] = {}
    for path in paths:
        for entry in _entries(Path(path), faults):
            _add_answer(entry, words, answers, open_as)
    faults.raise_any()
    return {key: word for key, (word, _) in sorted(answers.items())}


def read_unwanted(paths: Sequence[str | Path]) -> frozenset[Key]:
    """Return client, server, protocol and port of what was not learned, but what was accepted.

    Raises
    ------
    InputError
        If a file cannot be read, or is not one that synth wrote.

    """
    faults = Faults()
    unwanted: set[Key] = set()
    accepted: set[Key] = set()
    for path in paths:
        for node in _documents(Path(path), faults):
            if isinstance(node.value, dict):
                rest = node.fields(NOT_LEARNED).get(NOT_LEARNED)
                unwanted.update(_key(one) for one in (rest.items() if rest else ()))
            else:
                accepted.update(_accepted(node))
    faults.raise_any()
    return frozenset(unwanted - accepted)


def _accepted(node: Node) -> Iterable[Key]:
    for entry in node.items():
        fields = entry.fields(*_ENTRY)
        wanted = "answer" in fields and fields["answer"].value == ACCEPT
        if wanted and "traffic" in fields:
            yield _key(fields["traffic"])


def _documents(path: Path, faults: Faults) -> list[Node]:
    documents = [one for one in read_documents(path, faults) if one is not None]
    if not documents and not faults.found:
        faults.add(Fault(str(path), "questions with answers", "an empty file"))
    return [Node(one, str(path), faults) for one in documents]


def _entries(path: Path, faults: Faults) -> Iterable[Node]:
    for node in _documents(path, faults):
        if isinstance(node.value, dict) and set(node.value) == {NOT_LEARNED}:
            continue
        yield from node.items()


_ENTRY = ("key", "question", "kind", "concerns", "evidence", "records", "traffic", "answer")


def _add_answer(
    entry: Node, words: type[Word], answers: dict[str, tuple[Word, str]], open_as: Word | None
) -> None:
    fields = entry.fields(*_ENTRY)
    if "key" not in fields:
        if isinstance(entry.value, dict):
            entry.refuse("a key", "Keep the key of the question.", "none")
        return
    key = fields["key"].text()
    word = _word(fields["answer"], words) if "answer" in fields else open_as
    if key is None or word is None:
        return
    before, place = answers.setdefault(key, (word, entry.owner))
    if before is not word:
        entry.refuse(f"the answer {before} of {place} again", "Keep one of the two.", str(word))


def _word(answer: Node, words: type[Word]) -> Word | None:
    if isinstance(answer.value, str) and answer.value in set(words):
        return words(answer.value)
    answer.refuse(" or ".join(words), "Write one of them, or leave null.")
    return None


_KEY = ("client", "server", "protocol", "port")
_TRAFFIC = (*_KEY, "screening", "reason", "records", "example")


def _key(entry: Node) -> Key:
    fields = entry.fields(*_TRAFFIC)
    values = {name: fields[name].value for name in _KEY if name in fields}
    port = values.get("port")
    if len(values) < len(_KEY) or not isinstance(port, int):
        entry.refuse("client, server, protocol and port")
        return "", "", "", 0
    return str(values["client"]), str(values["server"]), str(values["protocol"]), port

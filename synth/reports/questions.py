"""Questions as a reader meets them: those that wait for an answer, and those that have one."""

from collections.abc import Iterable, Sequence

from synth.learner.model import Question
from synth.reports.figures import counted
from synth.reports.page import Block, Items, Prose, Tone
from synth.reports.sentences import concern_words

MOST_QUESTIONS = 20
"""How many questions a page spells out; quarantine.yaml and JSON hold all."""


def open_blocks(questions: Sequence[Question]) -> list[Block]:
    """Return the questions, numbered, as far as a page spells them out."""
    return _listed([question_words(one) for one in questions], "more question", numbered=True)


def answered_blocks(questions: Iterable[Question]) -> tuple[Block, ...]:
    """Return those of the questions that have an answer, with it; nothing if none has."""
    said = [answer_words(one) for one in questions if one.answer is not None]
    return tuple(_listed(said, "more answer"))


def question_words(question: Question) -> str:
    """Return the question with its evidence, whom it holds up, and its key."""
    return _words(question, f"Holds up {concern_words(question.concerns)}")


def answer_words(question: Question) -> str:
    """Return the question with its evidence, whom it concerns, its answer, and its key."""
    concerns = f"Concerns {concern_words(question.concerns)}" if question.concerns else ""
    return _words(question, concerns, f"Answer: {question.answer}")


def _words(question: Question, *more: str) -> str:
    seen_in = counted(question.records, "record") if question.records else ""
    parts = (question.text, question.evidence or seen_in, *more)
    return " ".join(f"{part.rstrip('.')}." for part in parts if part) + f" [{question.key}]"


def _listed(texts: Sequence[str], rest: str, *, numbered: bool = False) -> list[Block]:
    if not texts:
        return []
    blocks: list[Block] = [Items(tuple(texts[:MOST_QUESTIONS]), numbered=numbered)]
    more = len(texts) - MOST_QUESTIONS
    told = f"{counted(more, rest)} in quarantine.yaml."
    return [*blocks, Prose(told, Tone.QUIET)] if more > 0 else blocks

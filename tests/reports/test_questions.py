"""Questions as people read them: what waits is asked, what is answered is told with the answer."""

from dataclasses import replace

import pytest

from synth.learner.model import Answer, Question
from synth.reports import learn
from synth.reports.learn_html import to_html
from synth.reports.page import Items, Prose
from synth.reports.questions import MOST_QUESTIONS, answered_blocks, open_blocks, question_words
from synth.reports.text import to_text
from tests.reports import sample

ASKED = sample.QUESTION


def numbered(count: int, answer: Answer | None = None) -> list[Question]:
    return [replace(ASKED, key=f"key-{number}", answer=answer) for number in range(count)]


def test_an_open_question_says_whom_it_holds_up() -> None:
    assert question_words(ASKED) == (
        "shop/api → 203.0.113.10 TCP 443: one single connection. 4 records, first"
        " logs/node2.log:482. Holds up Egress of shop/api. [ae40adbea64c]"
    )
    assert open_blocks([]) == []
    assert answered_blocks([ASKED]) == ()


@pytest.mark.parametrize("answer", Answer)
def test_an_answered_question_is_told_with_its_answer(answer: Answer) -> None:
    (block,) = answered_blocks([ASKED, replace(ASKED, answer=answer)])
    told = (
        "shop/api → 203.0.113.10 TCP 443: one single connection. 4 records, first"
        f" logs/node2.log:482. Concerns Egress of shop/api. Answer: {answer}. [ae40adbea64c]"
    )
    assert block == Items((told,))


def test_of_many_a_page_spells_out_some_and_counts_the_rest() -> None:
    for blocks, word in (
        (open_blocks(numbered(MOST_QUESTIONS + 3)), "more questions"),
        ([*answered_blocks(numbered(MOST_QUESTIONS + 3, Answer.ACCEPT))], "more answers"),
    ):
        listed, rest = blocks
        assert isinstance(listed, Items)
        assert isinstance(rest, Prose)
        assert len(listed.items) == MOST_QUESTIONS
        assert rest.text == f"3 {word} in quarantine.yaml."
    assert len(answered_blocks(numbered(MOST_QUESTIONS, Answer.REFUSE))) == 1


def test_text_and_page_have_a_section_for_answers_only_if_there_are_some() -> None:
    result = sample.result()
    said = replace(ASKED, answer=Answer.REFUSE)
    answered = replace(result, learned=replace(result.learned, questions=(said,)))
    for told in (to_text(learn.to_page(answered, "out")), to_html(answered)):
        assert "Answered" in told
        assert "Answer: refuse." in " ".join(told.split())
    assert "Answered" not in to_text(learn.to_page(result, "out"))
    assert "Answered" not in to_html(result)

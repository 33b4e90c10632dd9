from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from synth.dialects.decisions import Traffic, read_answers, read_unwanted, write_questions
from synth.errors import InputError
from synth.learner.model import Answer, Question
from synth.policy import Direction

QUESTION = Question(
    key="ae40adbea64c",
    kind="quarantined",
    text="shop/api → 203.0.113.10 TCP 443: one single connection",
    concerns=(("shop/api", Direction.EGRESS),),
    records=4,
    evidence="4 records",
)
OTHER = replace(QUESTION, key="000000000001", kind="selector")
TRAFFIC = Traffic("shop/api", "203.0.113.10", "TCP", 443, "quarantined", "single", 4, "a.log:1")
SCAN = Traffic("198.51.100.9", "shop/db", "TCP", 22, "rejected", "failed", 9, "a.log:5")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "quarantine.yaml"
    path.write_text(
        write_questions([QUESTION, OTHER], {QUESTION.key: TRAFFIC}, [TRAFFIC, SCAN]),
        encoding="utf-8",
    )
    return path


def answered(file: Path, *answers: str) -> Path:
    text = file.read_text()
    for answer in answers:
        text = text.replace("answer: null", f"answer: {answer}", 1)
    file.write_text(text)
    return file


def refused(file: Path, *more: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_answers([file, *more], Answer)
    return str(caught.value)


def test_what_is_written_says_how_to_answer(file: Path) -> None:
    text = file.read_text()
    assert "answer: accept" in text
    assert "--accept FILE" in text
    entry = yaml.safe_load_all(text).__next__()[0]
    assert entry["answer"] is None
    assert entry["concerns"] == ["Egress of shop/api"]
    assert entry["traffic"]["port"] == 443


def test_unanswered_questions_have_no_answer(file: Path) -> None:
    assert read_answers([file], Answer) == {}
    everything = read_answers([file], Answer, open_as=Answer.REFUSE)
    assert everything == dict.fromkeys((QUESTION.key, OTHER.key), Answer.REFUSE)


def test_answers_are_read_again(file: Path) -> None:
    answered(file, "accept", "refuse")
    assert read_answers([file, file], Answer) == {
        QUESTION.key: Answer.ACCEPT,
        OTHER.key: Answer.REFUSE,
    }


def test_answers_that_were_given_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(write_questions([replace(QUESTION, answer=Answer.ACCEPT)]))
    assert read_answers([path], Answer) == {QUESTION.key: Answer.ACCEPT}


def test_no_question_is_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(write_questions([]))
    assert read_answers([path], Answer) == {}
    assert read_unwanted([path]) == frozenset()


@pytest.mark.parametrize("word", ["yes", "Accept", "'accept '", "[accept]", "{a: 1}", "7", "~a"])
def test_other_words_are_refused(file: Path, word: str) -> None:
    message = refused(answered(file, word))
    assert f"{file}" in message
    assert "accept or refuse" in message


def test_two_answers_to_one_question_are_refused(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(file.read_text())
    message = refused(answered(file, "accept"), answered(other, "refuse"))
    assert "other.yaml" in message
    assert "quarantine.yaml" in message


def test_all_faults_are_told_together(file: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    assert len(refused(answered(file, "maybe", "no"), missing).splitlines()) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "just text",
        "key: a\nanswer: accept\n",
        "- accept\n",
        "- {answer: accept}\n",
        "- {key: 7, answer: accept}\n",
        "- {key: a, answr: accept}\n",
        "- [\n",
        "- !!python/object/apply:os.system [ls]\n",
        "- null\n",
        "\x00",
    ],
)
def test_junk_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "junk.yaml"
    path.write_text(text)
    assert "junk.yaml" in refused(path)


def test_hostile_texts_survive(tmp_path: Path) -> None:
    evil = "a: b\n- key: x\n  answer: accept\n---\n# \x1b[31m\u2028 'q' \"d\" 💥"
    path = tmp_path / "a.yaml"
    traffic = replace(SCAN, client=evil, reason=evil)
    question = replace(QUESTION, text=evil, evidence=evil)
    path.write_text(write_questions([question], {}, [traffic]), encoding="utf-8")
    assert read_answers([path], Answer) == {}
    assert read_unwanted([path]) == {traffic.key}


def test_unwanted_is_all_that_was_not_learned(file: Path) -> None:
    assert read_unwanted([file]) == {TRAFFIC.key, SCAN.key}


def test_what_was_accepted_is_not_unwanted(file: Path) -> None:
    assert read_unwanted([answered(file, "accept")]) == {SCAN.key}


def test_unwanted_of_junk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("not-learned:\n- {client: a}\n- 7\n")
    with pytest.raises(InputError) as caught:
        read_unwanted([path])
    assert len(caught.value.faults) >= 2

import re
from html.parser import HTMLParser

from synth.reports.learn_html import to_html
from tests.reports import sample

VOID = {"meta", "link", "br", "hr", "img"}


class Reader(HTMLParser):
    """Notes the elements, and fails where one is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


def test_elements_are_closed_and_the_picture_is_there() -> None:
    tags = [tag for tag, _ in read(to_html(sample.result())).found]
    assert "svg" in tags
    assert tags.count("details") == 4


def test_nothing_is_loaded_and_nothing_runs() -> None:
    html = to_html(sample.result())
    for tag, attributes in read(html).found:
        assert tag not in ("script", "link", "img", "iframe")
        assert not {"src", "href", "onclick", "onload"} & set(attributes)
    assert not re.search(r"@import|url\((?!#)", html)
    assert "default-src 'none'" in html


def test_hostile_text_stays_text() -> None:
    html = to_html(sample.hostile())
    assert "script" not in [tag for tag, _ in read(html).found]
    assert "&lt;script&gt;" in html
    assert not any(sign in html for sign in "\x1b\u202e")


def test_policies_stand_there_as_yaml() -> None:
    text = read(to_html(sample.result())).text
    assert "kind: NetworkPolicy" in text
    assert "matchLabels:\n      role: db" in text


def test_the_same_result_gives_the_same_bytes() -> None:
    assert to_html(sample.result()) == to_html(sample.result())

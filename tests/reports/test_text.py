from synth.proof.results import InputFile
from synth.reports import learn, replay
from synth.reports.markdown import escape, to_markdown
from synth.reports.page import (
    Column,
    Commands,
    Items,
    Page,
    Prose,
    Section,
    Table,
    clean,
    shortened,
)
from synth.reports.text import to_text
from tests.reports import sample


def page(*blocks: Prose | Items | Table | Commands) -> Page:
    return Page("title", (Section("part", blocks),))


def test_sections_without_blocks_are_left_out() -> None:
    assert Page("title", (Section("empty", ()), Section("full", (Prose("x"),)))).sections == (
        Section("full", (Prose("x"),)),
    )


def test_colour_only_where_it_is_wanted() -> None:
    found = learn.to_page(sample.result(), "out")
    assert "\x1b[" in to_text(found, colour=True)
    assert "\x1b" not in to_text(found)


def test_markup_of_rich_is_plain_text() -> None:
    text = to_text(page(Prose("[red]a[/red] :smile:"), Items(("[b]x",))))
    assert "[red]a[/red] :smile:" in text
    assert "[b]x" in text


def test_commands_are_never_wrapped() -> None:
    line = "kubectl diff -k " + "a" * 100
    assert line in to_text(page(Commands((line,))))


def test_long_words_are_folded_not_cut() -> None:
    word = "w" * 150
    table = Table((Column("Name"), Column("N", number=True)), ((word, "1,234"),))
    text = to_text(page(table))
    assert text.count("w") == 150
    assert "1,234" in text


def test_paths_in_commands_are_quoted() -> None:
    assert "kubectl diff -k 'my out'/policies" in to_text(learn.to_page(sample.result(), "my out"))


def test_signs_that_steer_a_terminal_are_stripped() -> None:
    assert clean("a\x1b[2J\r\x00\x9b\u202eb\ud800\nc\td") == "a[2Jb c d"


def test_hostile_text_reaches_neither_terminal_nor_markdown() -> None:
    found = learn.to_page(sample.hostile(), "out")
    text, markdown = to_text(found), to_markdown(found)
    assert not any(sign in text + markdown for sign in "\x1b\u202e")
    assert "<script" not in markdown
    assert "@all" not in markdown


def test_markdown_shows_just_the_text() -> None:
    assert escape("a|b *c* `d` [e](f) <g> &amp; _h_ #1") == (
        r"a\|b \*c\* \`d\` \[e\](f) &lt;g&gt; &amp;amp; \_h\_ \#1"
    )


def test_markdown_fence_is_longer_than_what_it_holds() -> None:
    markdown = to_markdown(page(Commands(("echo ```` x",))))
    assert "`````sh\necho ```` x\n`````" in markdown


def test_long_tables_are_cut_and_the_rest_is_counted() -> None:
    rows = tuple((str(number),) for number in range(7))
    table = Table((Column("N"),), rows, total=True)
    assert shortened(table, 6) == (table,)
    short, told = shortened(table, 4)
    assert short == Table((Column("N"),), (*rows[:4], rows[6]), total=True)
    assert isinstance(told, Prose)
    assert told.text.startswith("2 more rows")


def test_a_thousand_files_fit_a_comment() -> None:
    inputs = tuple(InputFile(f"logs/{number}", "vpc", 1, "") for number in range(10_000))
    found = to_markdown(learn.to_page(sample.result(inputs=inputs), "out"))
    assert len(found) < 65_536
    assert "| **10,000 files** |" in found


def test_denials_are_cut_and_the_rest_is_counted() -> None:
    denials = [sample.denial(records) for records in range(50, 0, -1)]
    blocks = replay.denial_blocks(denials)
    assert isinstance(blocks[0], Table)
    assert len(blocks[0].rows) == replay.MOST_DENIALS
    assert blocks[1] == Prose("30 more denied edges; --format json lists all.", blocks[1].tone)  # type: ignore[union-attr]

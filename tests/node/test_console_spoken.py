"""Texts of others say in which language they are: by their sender's tag, or by letters that one language alone is written in."""

from importlib.resources import files

import pytest

from node.console.alike import alike
from node.console.languages import load_languages
from node.console.spoken import spoken


@pytest.mark.parametrize(
    ("page", "text", "shown"),
    [
        ("en", "សុខ ដារ៉ា (script: Khmer)", '<span lang="km">សុខ ដារ៉ា</span> (script: Khmer)'),
        ("km", "សុខ ដារ៉ា (អក្សរ៖ ខ្មែរ)", "សុខ ដារ៉ា (អក្សរ៖ ខ្មែរ)"),
        ("km", "สมชาย ใจดี", '<span lang="th">สมชาย ใจดี</span>'),
        ("th", "ສົມຈິດ / သန့်", '<span lang="lo">ສົມຈິດ</span> / <span lang="my">သန့်</span>'),
        ("en", "محمد Иван", '<span lang="und-Arab">محمد</span> <span lang="und-Cyrl">Иван</span>'),
        ("km", "He watches the gate. [en]", '<span lang="en">He watches the gate.</span> [en]'),
        ("en", "He watches the gate. [en]", "He watches the gate. [en]"),
        ("en", "Quan sát [vi, machine translation]", '<span lang="vi">Quan sát</span> [vi, machine translation]'),
        ("en", "gate 7 [xq]", "gate 7 [xq]"),
        ("en", "EXAMPLE, THOMAS", "EXAMPLE, THOMAS"),
        ("en", '<b>ក</b> & "x"', '&lt;b&gt;<span lang="km">ក</span>&lt;/b&gt; &amp; &#34;x&#34;'),
        ("km", '"><script>x</script> [en]', '<span lang="en">&#34;&gt;&lt;script&gt;x&lt;/script&gt;</span> [en]'),
        ("en", "EX\u0410MPLE Tho", "EX\u0410MPLE Tho"),
        ("en", "", ""),
    ],
)
def test_a_text_of_others_says_its_language(page: str, text: str, shown: str) -> None:
    assert str(spoken(load_languages()[page], text)) == shown


@pytest.mark.parametrize(
    ("text", "signs"),
    [("EXAMPLE", ""), ("Иван", ""), ("EX\u0410MPLE EX\u0410MPLE", "U+0410"), ("Tho\u200bmas \u041e1", "U+200B, U+041E"), ("សុខ", "")],
)
def test_letters_that_look_like_others_are_told_beside_the_words(text: str, signs: str) -> None:
    said = str(alike(load_languages()["en"], text))
    assert said == (f' <strong class="govuk-tag govuk-tag--yellow">Look-alike letters: {signs}</strong>' if signs else "")


@pytest.mark.parametrize(
    "name", ["admin_agreement", "admin_agreements", "admin_parts", "changes", "handover", "own_reports", "request", "screen_hits", "tip"]
)
def test_where_words_of_others_stand_such_letters_are_told(name: str) -> None:
    assert "|alike" in (files("node.console") / "templates" / f"{name}.html").read_text("utf-8")

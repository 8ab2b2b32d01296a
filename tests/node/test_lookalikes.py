"""Which words read as others, and which only look foreign."""

import pytest

from node.intake.lookalikes import lookalikes


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("EX\u0410MPLE", "U+0410"),
        ("\u039f\u0430", "U+039F, U+0430"),
        ("N1234\u041e", "U+041E"),
        ("Tho\u200bmas", "U+200B"),
        ("\uff21BC", "U+FF21"),
        ("1\u20602", "U+2060"),
    ],
)
def test_it_reads_as_another(text: str, signs: str) -> None:
    assert lookalikes([f"a line with {text}, once", text]) == [(text, signs)]


@pytest.mark.parametrize(
    "text",
    [
        "Nguy\u1ec5n V\u0103n \u00c1nh",
        "\u0410\u043d\u043d\u0430 Anna",
        "\u179f\u17bb\u1781\u200b\u179f\u17b6\u1793\u17d2\u178f",
        "\u1790\u17d2\u1784\u17c3\u1791\u17b812",
        "\u5f20\u4f1f, Zhang Wei",
        "12 \u03b1",
    ],
)
def test_it_only_looks_foreign(text: str) -> None:
    assert lookalikes([text]) == []

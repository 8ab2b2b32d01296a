"""The quick cards in docs/cards: one printed page each, and every command and option on them is there."""

import re
from pathlib import Path

import pytest

from tests.architecture.project_files import ROOT
from tests.architecture.test_auditing_guide import unknown

CARDS = sorted((ROOT / "docs/cards").glob("*.md"))
PROMPT = re.compile(r"^    \$ exchange (.*)$", re.MULTILINE)
QUOTED = re.compile(r"`exchange ([^`]+)`")
PAGE_LINES, LINE_WIDTH = 75, 96
"""What fits on a page of A4 in a small fixed type, once long lines are wrapped."""


def test_there_is_a_card_for_each_role() -> None:
    assert {card.stem for card in CARDS} == {
        *("officer-composing", "officer-answering", "officer-recalling"),
        *("border-desk", "police-desk", "ngo", "auditor", "administrator"),
    }


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_every_command_on_a_card_is_there(card: Path) -> None:
    text = card.read_text(encoding="utf-8")
    shown = PROMPT.findall(text) + QUOTED.findall(text)
    assert shown
    assert [fault for line in shown for fault in unknown(line)] == []


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_a_card_is_one_page_and_says_whom_to_call(card: Path) -> None:
    text = card.read_text(encoding="utf-8")
    printed = sum(max(1, -(-len(line) // LINE_WIDTH)) for line in text.splitlines() if line)
    assert printed <= PAGE_LINES
    assert "**Whom to call:**" in text
    assert "**When it refuses" in text


def test_a_command_that_is_not_there_is_found() -> None:
    assert unknown("inbox acknowledge-everything ALERT") == ["inbox acknowledge-everything"]
    assert unknown("inbox list --everything") == ["inbox list --everything"]

"""What the law asks of each release of the whole story: worked out from the pack's text alone, held against the node's tables."""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from exchange.v1 import disclosure_pb2
from tests.system import demo_oracle as oracle
from tests.system.test_demo import entries, rows

Step = Mapping[str, Any]

_TIMES = re.compile(r"^(valid_from|valid_until) = .*$", re.MULTILINE)
RESPONSE = oracle.schema("InformationResponse", "information")


def pack(country: str) -> dict[str, Any]:
    return tomllib.loads(_text(country))


def stands_under_its_pack(home: Path, country: str, told: Step) -> None:
    """The node's pack is the example's, word for word but for its two times, and it is what the story tells."""
    note = (home / "transfers.note").read_text("utf-8")
    assert _TIMES.sub("", note.split("\n\n— ")[0] + "\n") == _TIMES.sub("", _text(country))
    assert told["signed"] is True
    assert [(rule["id"], rule["law"], set(rule["needs"])) for rule in told["rules"]] == [
        (rule["id"], rule["law"], set(rule.get("needs", ()))) for rule in pack(country)["rules"]
    ]


def rules(country: str, recipient: str, kind: str, purpose: str, offences: Iterable[str], categories: Iterable[str]) -> dict[str, set[str]]:
    """What each rule needs that applies to one transfer."""
    text = pack(country)
    told = text["countries"][recipient.removeprefix("spiffe://").partition("/")[0]]
    said = {
        "destinations": {told},
        "classes": {oracle.agencies(told)[recipient]},
        "alert_types": {kind},
        "purposes": {purpose},
        "offence_classes": set(offences),
        "categories": set(categories),
    }
    applying = [rule for rule in text["rules"] if all(set(rule[key]) & found for key, found in said.items() if key in rule)]
    return {rule["id"]: set(rule["needs"]) for rule in applying if rule.get("needs")}


def refusals(home: Path, attempts: Sequence[Step], wanted: Mapping[str, Mapping[str, set[str]]], before: Iterable[Step] = ()) -> None:
    """Each attempt was refused by exactly the rules that what was on record until then did not meet; and after the last, all are met.

    `wanted` is what the rules need, by recipient; `before` is what was recorded for earlier releases.
    """
    stated: dict[str, set[str]] = {}
    _record(home, before, stated)
    for attempt in attempts:
        assert attempt["exit_code"] == 3
        assert {(one["recipient"], one["rule"]) for one in attempt["refused"]} == _unmet(wanted, stated)
        assert attempt["refused"]
        _record(home, attempt["recorded"], stated)
    assert not _unmet(wanted, stated)


def came_before(home: Path, assessment: str, disclosure: Step) -> None:
    """The journal holds the assessment before the release that rests on it; it was for that agency, in force and not withdrawn."""
    ((destination, recipients, review_by, withdrawn),) = rows(
        home, "SELECT destination, recipients, review_by, withdrawn FROM assessments WHERE digest = ?", bytes.fromhex(assessment)
    )
    _, at = journalled_before(home, assessment, disclosure)
    assert (destination, bool(withdrawn)) == (disclosure["origin"].split("/")[2], False)
    assert set(disclosure["audience"]) <= set(recipients.split("\n"))
    assert at < review_by


def journalled_before(home: Path, assessment: str, disclosure: Step) -> tuple[int, int]:
    """The journal holds the assessment before the release; returns where the journal has that, and its time."""
    ((assessed,),) = rows(home, "SELECT idx FROM journal WHERE kind = 8 AND code = 'ASSESSED' AND subject = ?", bytes.fromhex(assessment))
    place, at = _released(home, disclosure)
    assert assessed < place
    return place, at


def rested_on(home: Path, release: Step) -> None:
    """The auditor's record of a release is the one that its entry commits to, and both its assessment and its approval came first."""
    record, disclosure = release["record"], release["disclosure"]
    data = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    committed = b"alert-exchange/v1 authorisation\0" + bytes.fromhex(release["salt"]) + len(data).to_bytes(4, "big") + data
    entry = disclosure_pb2.Entry.FromString(entries(home, disclosure["origin"])[disclosure["index"]])
    assert entry.authorisation == hashlib.sha256(committed).digest()
    assert list(entry.audience) == disclosure["audience"]
    came_before(home, record["assessment"], disclosure)
    approved_before(home, record["preview"], record["officer"], record["approvers"], disclosure)


def approved_before(home: Path, preview: str, author: str, approvers: Sequence[str], disclosure: Step) -> None:
    """Somebody other than the author approved exactly that preview, and the journal says so before the release."""
    ((submission, written_by, state),) = rows(home, "SELECT id, author, state FROM submissions WHERE preview = ?", bytes.fromhex(preview))
    assert (written_by, state) == (author, "released")
    assert rows(home, "SELECT person FROM approvals WHERE submission = ?", submission) == [(person,) for person in approvers]
    assert author not in approvers
    ((given,),) = rows(home, "SELECT idx FROM journal WHERE kind = 8 AND code = 'GIVEN' AND subject = ?", bytes.fromhex(preview))
    assert given < _released(home, disclosure)[0]


def offences(content: Any) -> Iterator[str]:
    """Every offence class that an alert's file names anywhere."""
    if isinstance(content, list):
        for item in content:
            yield from offences(item)
    elif isinstance(content, Mapping):
        for key, value in content.items():
            if key in {"offence_class", "offence_classes"}:
                yield from [value] if isinstance(value, str) else value
            else:
                yield from offences(value)


def _text(country: str) -> str:
    return (oracle.ROOT / f"policies/{country.lower()}/transfers.toml").read_text("utf-8")


def _unmet(wanted: Mapping[str, Mapping[str, set[str]]], stated: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    return {
        (recipient, rule)
        for recipient, needed in wanted.items()
        for rule, needs in needed.items()
        if recipient not in stated or needs - stated[recipient] - {"ASSESSMENT"}
    }


def _record(home: Path, recorded: Iterable[Step], stated: dict[str, set[str]]) -> None:
    for one in recorded:
        ((recipients, states),) = rows(home, "SELECT recipients, states FROM assessments WHERE digest = ?", bytes.fromhex(one["digest"]))
        assert recipients.split("\n") == one["assessment"]["recipients"]
        for recipient in recipients.split("\n"):
            stated[recipient] = set(states.split())


def _released(home: Path, disclosure: Step) -> tuple[int, int]:
    """Where in the journal, and when."""
    query = "SELECT idx, at FROM journal WHERE kind = 4 AND code = 'RELEASED' AND origin = ? AND first <= ? AND ? < first + count"
    ((place, at),) = rows(home, query, disclosure["origin"], disclosure["index"], disclosure["index"])
    return place, at

from typing import Any

import pytest

from exchange import journal
from exchange.encoding import encode
from exchange.errors import Malformed, Unverified
from exchange.tlog.merkle import Frontier, leaf_hash
from exchange.v1 import journal_pb2
from exchange.v1.journal_pb2 import JournalEntry
from tests.countries import NOW, domain, key, node
from tests.refusals import refused

NODE = "spiffe://gb.alerts.example/node"
AGENCY = "spiffe://gb.alerts.example/agency/nca-ceop"
LOG = "gb.alerts.example/disclosures/kh.alerts.example/1"
JOURNAL = "gb.alerts.example/journal/1"


def entry(**changes: Any) -> JournalEntry:
    fields: dict[str, Any] = {"kind": journal_pb2.JOURNAL_KIND_DISCLOSURE, "code": "RELEASED", "at": NOW, "party": AGENCY}
    return JournalEntry(**(fields | changes))


GOOD: dict[str, dict[str, Any]] = {
    "a disclosure of three entries": {"origin": LOG, "index": 4, "count": 3, "counterparty": "kh.alerts.example"},
    "an anchor": {"kind": journal_pb2.JOURNAL_KIND_ANCHOR, "code": "INBOUND", "party": NODE, "origin": LOG, "count": 7, "root": bytes(32)},
    "a successor": {"kind": journal_pb2.JOURNAL_KIND_SUCCESSION, "code": "FOLLOWS", "origin": JOURNAL, "count": 7, "root": bytes(32)},
    "any code of a refusal": {"kind": journal_pb2.JOURNAL_KIND_REFUSAL, "code": "PURPOSE_NOT_AGREED", "counterparty": NODE},
    "commitments": {"accountability": bytes(32), "personal": bytes(32), "subject": bytes(32)},
}

BAD: dict[str, dict[str, Any]] = {
    "no kind": {"kind": 0},
    "a kind of the future": {"kind": 99},
    "a code of another kind": {"code": "ADDED"},
    "free text as a refusal's code": {"kind": journal_pb2.JOURNAL_KIND_REFUSAL, "code": "Said no to Sok"},
    "no code of a refusal": {"kind": journal_pb2.JOURNAL_KIND_ALARM, "code": ""},
    "no time": {"at": 0},
    "a person as the party": {"party": "spiffe://gb.alerts.example/officer/4711"},
    "no party": {"party": ""},
    "a person as the counterparty": {"counterparty": "spiffe://kh.alerts.example/auditor/1"},
    "free text as the counterparty": {"counterparty": "Phnom Penh"},
    "a subject that is no digest": {"subject": b"short"},
    "a root that is no hash": {"kind": journal_pb2.JOURNAL_KIND_ANCHOR, "code": "INBOUND", "origin": LOG, "count": 1, "root": bytes(31)},
    "a commitment to accountability that is none": {"accountability": bytes(33)},
    "a commitment to personal detail that is none": {"personal": bytes(1)},
    "an origin of no log": {"origin": "gb.alerts.example/somewhere/1"},
    "a range of no log": {"count": 1},
    "an index of no log": {"index": 1},
    "an index and no range": {"origin": LOG, "index": 1},
    "a root of a disclosure": {"origin": LOG, "count": 1, "root": bytes(32)},
    "an anchor without a root": {"kind": journal_pb2.JOURNAL_KIND_ANCHOR, "code": "INBOUND", "origin": LOG, "count": 1},
    "an anchor of no log": {"kind": journal_pb2.JOURNAL_KIND_ANCHOR, "code": "INBOUND", "root": bytes(32)},
    "an anchor that does not begin at 0": {
        "kind": journal_pb2.JOURNAL_KIND_ANCHOR,
        "code": "INBOUND",
        "origin": LOG,
        "index": 1,
        "count": 1,
        "root": bytes(32),
    },
}


@pytest.mark.parametrize("case", GOOD)
def test_an_entry_of_the_one_form_is_read_as_it_was_written(case: str) -> None:
    written = entry(**GOOD[case])
    assert journal.open_journal_entry(journal.encode_journal_entry(written)) == written


@pytest.mark.parametrize("case", BAD)
def test_a_journal_entry_of_another_form_is_refused_on_both_sides(case: str) -> None:
    wrong = entry(**BAD[case])
    with refused(Malformed, "JOURNAL_ENTRY_MALFORMED"):
        journal.encode_journal_entry(wrong)
    with refused(Malformed, "JOURNAL_ENTRY_MALFORMED"):
        journal.open_journal_entry(encode(wrong))


def test_an_entry_is_decoded_strictly() -> None:
    with refused(Malformed, "NOT_CANONICAL"):
        journal.open_journal_entry(encode(entry()) + encode(entry()))


def test_an_entry_above_the_cap_is_not_written() -> None:
    long = "spiffe://gb.alerts.example/agency/" + "/".join(["a" * 128] * 15 + ["a" * 60])
    with refused(Malformed, "TOO_LARGE"):
        journal.encode_journal_entry(entry(party=long, counterparty=long, origin=LOG, count=1, subject=bytes(32), personal=bytes(32)))


def test_every_kind_has_its_codes() -> None:
    free = {journal_pb2.JOURNAL_KIND_UNSPECIFIED, journal_pb2.JOURNAL_KIND_REFUSAL, journal_pb2.JOURNAL_KIND_ALARM}
    assert set(journal.CODES) == set(journal_pb2.JournalKind.values()) - free
    assert all(codes for codes in journal.CODES.values())


def test_an_origin_names_the_owner_and_the_generation() -> None:
    assert journal.parse_journal_origin(journal.journal_origin("gb.alerts.example", 12)) == ("gb.alerts.example", 12)
    for wrong in (LOG, "gb.alerts.example/journal/01", "gb.alerts.example/journal/0", "GB/journal/1", JOURNAL + "\n"):
        with refused(Malformed, "ORIGIN_MALFORMED"):
            journal.parse_journal_origin(wrong)


def test_a_detail_is_bound_to_its_salt_and_every_byte_of_its_record() -> None:
    committed = {journal.commit_detail(salt, record) for salt in (bytes(32), b"\1" * 32) for record in (b"", b"a", b"\0a")}
    assert len(committed) == 6
    with refused(Malformed, "SALT_MALFORMED"):
        journal.commit_detail(bytes(31), b"record")


def test_a_checkpoint_is_signed_by_a_log_key_of_its_owner() -> None:
    frontier = Frontier.empty().append(leaf_hash(journal.encode_journal_entry(entry())))
    note = journal.sign_journal(JOURNAL, frontier, key("gb", "log"))
    for at in (NOW, None):
        opened = journal.open_journal_checkpoint(note, node("gb"), at)
        assert (opened.origin, opened.size, opened.root) == (f"{domain('gb')}/journal/1", 1, frontier.root())
    with refused(Unverified, "CHECKPOINT_ORIGIN"):
        journal.open_journal_checkpoint(note, node("kh"), NOW)
    with refused(Unverified, "CHECKPOINT_SIGNATURE"):
        journal.open_journal_checkpoint(journal.sign_journal(JOURNAL, frontier, key("gb", "receipt")), node("gb"), NOW)
    with refused(Malformed, "ORIGIN_MALFORMED"):
        journal.open_journal_checkpoint(b"\xff\n", node("gb"), NOW)
    with refused(Malformed, "ORIGIN_MALFORMED"):
        journal.sign_journal(LOG, frontier, key("gb", "log"))

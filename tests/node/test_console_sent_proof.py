"""That an alert was logged is proved on a page of its own, verified when it is asked, and a proof that is broken says so."""

import re
from html import unescape

import pytest

from exchange.evidence import verify_evidence
from exchange.log import open_log_checkpoint
from exchange.signing import statement_digest
from exchange.tlog.merkle import leaf_hash, verify_inclusion
from exchange.v1 import statement_pb2
from node.operations import sent_proof
from node.store import logs
from tests.confirming import Hands, entered, signed
from tests.console_site import Browser, Shown
from tests.countries import BORDER, NGO, POLICE, agency
from tests.federation import Federation
from tests.node.test_op_disclosure_checks import change
from tests.node.test_op_evidence import pins
from tests.rig import ROLES, Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE, KH_NGO = agency("kh", BORDER), agency("kh", POLICE), agency("kh", NGO)
ORIGIN = "gb.alerts.example/disclosures/kh.alerts.example/1"
HOLDS, FAILS = "This node verified it just now", "Something does not hold"
FORGED = "UPDATE entries SET entry = e.entry, leaf = e.leaf FROM (SELECT entry, leaf FROM entries WHERE log_id = ? AND idx = 1) AS e"


@pytest.fixture
def digest(two: Federation, gb: Office) -> str:
    """Of an alert that was told to two, under a clause each: entries 0 and 1."""
    published = gb.publish(draft(KH_BORDER, KH_POLICE))
    two.pump()
    return published.manifest_digest.hex()


def said(page: str) -> str:
    return " ".join(text for _, text in Shown(page).texts)


def links(page: str) -> list[str]:
    return re.findall(r'href="(/sent/[0-9a-f]{64}/proof/[^"]+)"', page)


def test_each_recipient_s_way_leads_to_its_proof_which_anybody_can_check_with_what_stands_there(gb: Office, digest: str) -> None:
    browser = Browser(gb).enter("liaison")
    found = links(browser.get(f"/sent/{digest}").text)
    assert sorted(found) == [f"/sent/{digest}/proof/kh.alerts.example/1/{index}" for index in (0, 1)]
    for path in found:
        index = int(path.rpartition("/")[2])
        page = browser.get(path).text
        words = said(page)
        assert HOLDS in words
        assert FAILS not in words
        assert ORIGIN in words
        # By what the page shows alone, with the treaty's own code: the entry's hash, the path, and a note with the sender's signature.
        with gb.ports.store.read() as tx:
            log = logs.find_log(tx, ORIGIN)
            assert log
            row = logs.entry_rows(tx, log.id, index, index + 1)[0]
            receipt = logs.receipt_covering(tx, log.id, index)
        assert receipt
        assert leaf_hash(row.entry).hex() in words
        note = unescape(re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)[0])
        tree = open_log_checkpoint(note.encode(), log.name, gb.ports.known.own, gb.clock.now_ms())
        assert f"Root {tree.root.hex()}" in words
        hashes = [bytes.fromhex(one) for one in re.findall(r"<li><code>([0-9a-f]{64})</code>", page.partition("<pre")[0])]
        verify_inclusion(leaf_hash(row.entry), index, tree.size, hashes, tree.root)
        # Their receipt, by its digest, and both signatures.
        assert statement_digest(statement_pb2.Statement.FromString(receipt.statement)).hex() in words
        assert "The recipient signed the receipt" in words
        # Nothing of the alert itself.
        assert "EXAMPLE, Thomas" not in page
    assert [(kind, code) for kind, *_, code in gb.journal()][-1] == ("review", "PROOF")


def test_before_the_receipt_this_node_s_own_checkpoint_proves_it_and_no_file_is_offered(two: Federation, gb: Office, digest: str) -> None:
    waiting = gb.publish(draft(KH_POLICE)).manifest_digest.hex()
    browser = Browser(gb).enter("liaison")
    (path,) = links(browser.get(f"/sent/{waiting}").text)
    words = said(browser.get(path).text)
    assert HOLDS in words
    assert "Their receipt not yet" in words
    assert "Once they have receipted the entry, both countries have." in words
    assert "without their signature there is no proof" in words
    assert browser.send(path, {"level": "DATA"}).status_code == 400
    two.pump()
    words = said(browser.get(path).text)
    assert "Their receipt not yet" not in words
    assert digest != waiting


def test_a_log_that_is_stopped_proves_nothing_yet(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = gb.publish(draft(KH_POLICE)).manifest_digest.hex()
    monkeypatch.setattr(sent_proof, "newest_note", lambda *_: b"")
    words = said(Browser(gb).enter("liaison").get(f"/sent/{waiting}/proof/kh.alerts.example/1/0").text)
    assert "Nothing is proved yet" in words
    assert HOLDS not in words
    assert FAILS not in words


@pytest.mark.parametrize(
    ("statement", "values", "code"),
    [
        # Another entry in its place, as it would be if somebody rewrote what was told.
        (f"{FORGED} WHERE entries.log_id = ? AND entries.idx = 0", 2, "INCLUSION"),
        # A hash of the tree beside it.
        ("UPDATE entries SET leaf = zeroblob(32) WHERE log_id = ? AND idx = 1", 1, "INCLUSION"),
        # A checkpoint that nobody signed.
        (
            "UPDATE receipts SET checkpoint = CAST(replace(CAST(checkpoint AS TEXT), 'alerts', 'alarms') AS BLOB) WHERE log_id = ?",
            1,
            "CHECKPOINT",
        ),
    ],
)
def test_a_broken_proof_is_shown_as_failed(gb: Office, two: Federation, digest: str, statement: str, values: int, code: str) -> None:
    log_id = gb.outbound(two["kh"]).id
    browser, path = Browser(gb).enter("liaison"), f"/sent/{digest}/proof/kh.alerts.example/1/0"
    assert HOLDS in said(browser.get(path).text)
    change(gb, statement, *[log_id] * values)
    page = browser.get(path)
    words = said(page.text)
    assert page.status_code == 200
    assert FAILS in words
    assert HOLDS not in words
    assert re.search(rf"Does not hold {code}", words), words


def test_the_evidence_as_a_file_once_a_passkey_signed_for_it(gb: Office, digest: str) -> None:
    hands = Hands(gb)
    browser, path = entered(gb, "liaison", hands), f"/sent/{digest}/proof/kh.alerts.example/1/0"
    assert "data-passkey" not in browser.get(path).text
    assert "data-passkey" not in browser.get(f"{path}?level=LOGGED_ONLY").text
    for level, content in (("CONTENTLESS", 0), ("DATA", 1)):
        page = browser.get(f"{path}?level={level}").text
        form = signed(page, hands.key("liaison"))
        # Signed for one level, and for this entry alone.
        other = "DATA" if level == "CONTENTLESS" else "CONTENTLESS"
        assert browser.post(path, {**form, "level": other}).status_code == 403
        form = signed(browser.get(f"{path}?level={level}").text, hands.key("liaison"))
        assert browser.post(path.replace("/1/0", "/1/1"), form).status_code == 403
        form = signed(browser.get(f"{path}?level={level}").text, hands.key("liaison"))
        answer = browser.post(path, form)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == 'attachment; filename="kh.alerts.example-1-0.evidence"'
        shown = verify_evidence(answer.content, pins("gb", "kh"))
        assert bool(shown.view) == bool(content)
        assert browser.post(path, form).status_code == 403, "an answer counts once"
        assert [(kind, code) for kind, *_, code in gb.journal() if kind == "export"][-1] == ("export", level)


def test_only_the_agency_that_sent_it_and_at_its_own_places(two: Federation, gb: Office, digest: str) -> None:
    gb.publish(draft(KH_POLICE))
    two.pump()
    path = f"/sent/{digest}/proof/kh.alerts.example/1/0"
    for name in ROLES:
        browser = Browser(gb).enter(name)
        status = 200 if name in {"liaison", "second"} else 404 if name == "both" else 403
        assert browser.get(path).status_code == status, name
        if status != 200:
            assert browser.send(path, {"level": "DATA"}).status_code == status, name
    assert Browser(gb).get(path).headers["location"] == "/sign-in"
    browser = Browser(gb).enter("liaison")
    # Another alert's entry, one that is not there, another log, and what is no place at all.
    for wrong in (
        "kh.alerts.example/1/2",
        "kh.alerts.example/1/9",
        "kh.alerts.example/2/0",
        "vn.alerts.example/1/0",
        "x/1/0",
        "kh.alerts.example/1/00",
    ):
        assert browser.get(f"/sent/{digest}/proof/{wrong}").status_code == 404, wrong
    assert two["kh"].publish(draft(agency("gb", NGO))).problems == []

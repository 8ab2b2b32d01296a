"""NOT_THIS_PERSON, remembered at both ends: the same mis-hit is not raised again, and nothing else is known of the innocent.

What is kept is a keyed hash of the alert's first manifest and the travel document that was shown. Whoever screens asks `suppressed`.
"""

from collections.abc import Iterable

from exchange.v1.hit_report_pb2 import HIT_OUTCOME_NOT_THIS_PERSON, HitReport
from exchange.v1.people_pb2 import TravelDocument
from exchange.values import PartyId, node_of
from node.operations.onward_reach import onward_holders
from node.operations.reach import first_of, holders, lineage
from node.ports import Ports
from node.store import alerts, mis_hits
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

Passenger = tuple[bytes, str, str]
"""Digest of an alert's manifest; issuer and number of the document that a passenger travels on."""


def suppressed(ports: Ports, tx: Transaction, hits: Iterable[Passenger]) -> set[Passenger]:
    """Which of these hits an officer has already found to be somebody else, under the same alert or one that it replaced."""
    firsts: dict[bytes, bytes] = {}
    places: dict[tuple[bytes, bytes], list[Passenger]] = {}
    for hit in set(hits):
        digest, issuer, number = hit
        if digest not in firsts:
            firsts[digest] = first_of(tx, digest)
        if document := _document(issuer, number):
            places.setdefault((firsts[digest], ports.vault.mis_hit_token(firsts[digest], document)), []).append(hit)
    known = mis_hits.suppressed(tx, {token for _, token in places})
    return {hit for place in known & places.keys() for hit in places[place]}


def remember_report(ports: Ports, tx: Transaction, report: HitReport, reporter: str, now: int) -> None:
    """Remember what a report says is not the person of the alert that it answers; `reporter` (an agency abroad) sent it. `tx` must write.

    Only of an alert of ours that this agency was told of, or its country by passing on: no partner keeps our desks from being shown
    another's.
    """
    if report.outcome != HIT_OUTCOME_NOT_THIS_PERSON:
        return
    alert = alerts.by_digests(tx, {report.manifest_digest}).get(report.manifest_digest)
    if alert is not None and alert.own and (_told(tx, alert, reporter) or _passed_on_to(tx, alert, reporter)):
        _remember(ports, tx, report, reporter, now)


def _told(tx: Transaction, alert: AlertRow, reporter: str) -> bool:
    return any(reporter in agencies for agencies in holders(tx, alert).values())


def _passed_on_to(tx: Transaction, alert: AlertRow, reporter: str) -> bool:
    """Whether the reporter's country has it because another passed it on with leave, and said so."""
    country = str(node_of(PartyId.parse(reporter).trust_domain))
    return any(third == country for third, _ in onward_holders(tx, alert))


def forget_erased(tx: Transaction) -> None:
    """Drop what is kept against alerts of which every manifest is erased: nobody can be mistaken for their persons any more."""
    for first in alerts.by_digests(tx, mis_hits.erased_firsts(tx)).values():
        if all(row.state == "erased" for row in lineage(tx, first)):
            mis_hits.forget(tx, {first.digest})


def _remember(ports: Ports, tx: Transaction, report: HitReport, reporter: str, now: int) -> None:
    shown: TravelDocument = report.document_shown
    document = _document(shown.issuer, shown.number)
    if not document:
        return
    first = first_of(tx, report.manifest_digest)
    mis_hits.remember(tx, first, [ports.vault.mis_hit_token(first, document)])
    ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALTERATION, reporter, [Event(code="MIS_HIT", subject=report.manifest_digest)])


class Remembered:
    """The consequence of a report of our own: the mis-hit is remembered here too, and the alert still waits for its person."""

    def __init__(self, report: HitReport, digest: bytes, person: str) -> None:
        self._report = report
        self._digest = digest
        self._person = person

    def obstacle(self, _ports: Ports, _tx: Transaction) -> None:
        """Nothing stands in the way of a report."""

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        """Remember the mis-hit."""
        alerts.note_mis_hit(tx, self._digest)
        _remember(ports, tx, self._report, self._person, now)


def _document(issuer: str, number: str) -> bytes:
    """Issuer and number in one form; empty if there is no number to go by."""
    plain = "".join(sign for sign in number.upper() if sign.isalnum())
    return f"{issuer.strip().upper()}\0{plain}".encode() if plain else b""

"""Transfer assessments: recorded by a liaison officer before the release that rests on them, withdrawn, listed for review."""

import hashlib
from dataclasses import replace

from protovalidate import collect_violations

from exchange.encoding import encode
from exchange.errors import Malformed, NotFound, Refused
from exchange.v1 import desk_service_pb2
from exchange.v1.assessment_pb2 import TransferAssessment
from exchange.values import PartyId
from node.operations.access import note_access
from node.operations.officers import ADMINISTRATOR, AUDITOR, LIAISON, require
from node.policy.gate import Assessment
from node.policy.pack import PolicyPack
from node.ports import Ports
from node.store.alerts import PREFIX_AT_LEAST
from node.store.assessments import add_assessment, all_assessments, assessments_in_force, withdraw_assessment
from node.store.envelope import DAY_MS
from node.store.journal import Event, Kind

REVIEW_AT_MOST_DAYS = 366
_SALT = 32
_COMMITMENT = b"alert-exchange/v1 transfer assessment\0"
_KEY = "assessments"
_STATED = (
    "adequacy",
    "safeguards",
    "special_circumstances",
    "overseas_security_and_justice",
    "death_penalty_assurance",
    "judicial_authorisation",
    "written_undertaking",
)


def record_assessment(ports: Ports, person: str, offered: TransferAssessment) -> desk_service_pb2.AssessmentSummary:
    """Record that a transfer was assessed. It is journalled before anything can rest on it.

    Raises `Malformed` (ASSESSMENT_MALFORMED), `Refused` (PARTNER_UNKNOWN, POLICY_NONE, REVIEW_TOO_LATE).
    """
    require(ports, person, (LIAISON,))
    policy, now = ports.known.policy, ports.clock.now_ms()
    if policy is None:
        raise Refused("POLICY_NONE", "this node has no policy pack to assess under: see `policy.pack` in its configuration")
    record = TransferAssessment()
    record.CopyFrom(offered)
    record.version, record.assessed_by, record.assessed_at, record.policy = 1, person, now, policy.label
    _check(ports, policy, record, now)
    salt = ports.entropy(_SALT)
    data = encode(record)
    digest = hashlib.sha256(_COMMITMENT + salt + len(data).to_bytes(4, "big") + data).digest()
    assessment = Assessment(
        digest=digest,
        destination=record.destination,
        recipients=frozenset(record.recipients),
        states=frozenset(name.upper() for name in _STATED if getattr(record, name).strip()),
        policy=policy.label,
        assessed_at=now,
        review_by=record.review_by,
    )
    sealed = ports.vault.lasting_key(ports.store, _KEY).seal(digest, salt + data)
    with ports.store.write() as tx:
        add_assessment(tx, assessment, sealed)
        event = Event(code="ASSESSED", subject=digest, counterparty=record.destination)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, person, [event])
        ports.acquaintance.known = replace(ports.known, assessments=assessments_in_force(tx))
    return _summary(assessment, record, withdrawn=False, now=now)


def withdraw(ports: Ports, person: str, reference: str) -> desk_service_pb2.AssessmentSummary:
    """Take an assessment back: nothing more is released on the strength of it. Raises `NotFound` (ASSESSMENT_NOT_FOUND, …)."""
    require(ports, person, (LIAISON, ADMINISTRATOR))
    now = ports.clock.now_ms()
    key = ports.vault.lasting_key(ports.store, _KEY)
    with ports.store.write() as tx:
        assessment, withdrawn, sealed = _find(all_assessments(tx), reference)
        if not withdrawn:
            withdraw_assessment(tx, assessment.digest)
            event = Event(code="ASSESSMENT_WITHDRAWN", subject=assessment.digest, counterparty=assessment.destination)
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, person, [event])
            ports.acquaintance.known = replace(ports.known, assessments=assessments_in_force(tx))
    record = TransferAssessment.FromString(key.open(assessment.digest, sealed)[_SALT:])
    return _summary(assessment, record, withdrawn=True, now=now)


def list_assessments(ports: Ports, person: str) -> desk_service_pb2.ListAssessmentsResponse:
    """Every assessment, newest first, with the policy in use."""
    officer = require(ports, person, (LIAISON, ADMINISTRATOR, AUDITOR))
    if AUDITOR in officer.roles:
        note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="ASSESSMENTS"))
    now, key = ports.clock.now_ms(), ports.vault.lasting_key(ports.store, _KEY)
    with ports.store.read() as tx:
        rows = all_assessments(tx)
    found = [
        _summary(assessment, TransferAssessment.FromString(key.open(assessment.digest, sealed)[_SALT:]), withdrawn=withdrawn, now=now)
        for assessment, withdrawn, sealed in rows
    ]
    policy = ports.known.policy
    return desk_service_pb2.ListAssessmentsResponse(
        assessments=found, policy=policy.label if policy else "", policy_until=policy.valid_until if policy else 0
    )


def _check(ports: Ports, policy: PolicyPack, record: TransferAssessment, now: int) -> None:
    if collect_violations(record) or not record.necessity.strip() or not record.proportionality.strip():
        raise Malformed("ASSESSMENT_MALFORMED", "an assessment says why the transfer is necessary and why no less would do")
    # Leave to pass on may be asked for a country that is no partner of ours: then the pack knows it.
    if record.destination not in ports.known.partners and record.destination not in policy.countries:
        raise Refused("PARTNER_UNKNOWN", "the destination is the trust domain of no partner, and of no country that the policy names")
    recipients = list(record.recipients)
    if recipients != sorted(set(recipients)):
        raise Malformed("ASSESSMENT_MALFORMED", "recipients are listed in ascending order, each once")
    for recipient in recipients:
        party = PartyId.parse(recipient)
        if (party.trust_domain, party.role) != (record.destination, "agency"):
            raise Malformed("ASSESSMENT_MALFORMED", "a recipient is not an agency of the destination")
    if not now < record.review_by <= now + REVIEW_AT_MOST_DAYS * DAY_MS:
        raise Refused("REVIEW_TOO_LATE", "an assessment is reviewed after now and within a year")


def _find(rows: list[tuple[Assessment, bool, bytes]], reference: str) -> tuple[Assessment, bool, bytes]:
    wanted = reference.strip().lower()
    if len(wanted) < PREFIX_AT_LEAST or not all(character in "0123456789abcdef" for character in wanted):
        raise NotFound("ASSESSMENT_REFERENCE", "give an assessment's digest in hex, or at least its first 8 characters")
    found = [row for row in rows if row[0].digest.hex().startswith(wanted)]
    if len(found) != 1:
        code = "ASSESSMENT_AMBIGUOUS" if found else "ASSESSMENT_NOT_FOUND"
        raise NotFound(code, "no assessment, or more than one, begins like this: see `exchange assessment list`")
    return found[0]


def _summary(assessment: Assessment, record: TransferAssessment, *, withdrawn: bool, now: int) -> desk_service_pb2.AssessmentSummary:
    state = desk_service_pb2.ASSESSMENT_STATE_IN_FORCE
    if withdrawn:
        state = desk_service_pb2.ASSESSMENT_STATE_WITHDRAWN
    elif now >= assessment.review_by:
        state = desk_service_pb2.ASSESSMENT_STATE_REVIEW_DUE
    return desk_service_pb2.AssessmentSummary(digest=assessment.digest, state=state, assessment=record)

"""The duty after a withdrawal: an officer purges copies and lists outside this node, and the agency signs that it was done.

From the withdrawal on the content is blocked here. It is erased once every agency that was given it has attested without an exception; one
that keeps something on a legal ground keeps it blocked until its retention ends (docs/decisions/0022).
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from exchange.v1 import desk_service_pb2
from exchange.v1.control_pb2 import PurgeAttestation
from exchange.values import PartyId
from node.intake.problems import error
from node.operations.confirm_purge import unconfirmed
from node.operations.control import Issuer, Order, issuer_for, prepare_control, request_ids
from node.operations.inbox import DESK, given_to
from node.operations.officers import agency_of, require
from node.operations.purge import purge_attested
from node.operations.reach import lineage
from node.operations.recall import LINEAGE_AT_MOST, Item, Release, answered_before, request_problems, without_followers
from node.operations.release import NotReleased
from node.ports import Ports
from node.store import alerts, recalls
from node.store.alerts import AlertRow
from node.store.errors import StoreFailed
from node.store.transaction import Transaction

_ERASED: Final = "erased"


def attest_purge(
    ports: Ports, person: str, request: desk_service_pb2.AttestPurgeRequest, release: Release
) -> desk_service_pb2.AttestPurgeResponse:
    """Attest the purge of a withdrawn alert in the name of the caller's agency, one attestation for each of its manifests.

    The same request again answers as the first time. Raises `NotPermitted`, and `NotFound` as `alerts.find`.
    """
    agency = agency_of(require(ports, person, DESK))
    issuer = issuer_for(ports, person, DESK, in_node_name=False)
    with ports.store.read() as tx:
        row = alerts.find(tx, request.alert, inbox_of=agency)
        again = answered_before(tx, request.request_id, agency)
        line = [] if again else [one for one in lineage(tx, row) if agency in alerts.inboxes_of(tx, one.id)]
        owed = [one for one in line if owes(tx, one, agency)]
        items = [] if again else _prepared(ports, tx, person, agency, issuer, request, owed)
    answers = again or without_followers(release(items))
    with suppress(StoreFailed):  # the attestation stands; what could not be erased now is erased at the next, or at the next start
        purge_attested(ports, person)
    with ports.store.read() as tx:
        now = alerts.by_digests(tx, {one.digest for one in lineage(tx, row)})
        erased = [digest for digest, one in now.items() if one.state == _ERASED]
    return desk_service_pb2.AttestPurgeResponse(attestations=answers, erased=erased)


def owes(tx: Transaction, row: AlertRow, agency: str) -> bool:
    """Whether an agency has still something to attest: nothing so far, or that it kept something."""
    if not any(recalls.withdrawn_by(tx, {row.digest})):
        return False
    mine = [one for one in recalls.attestations_of(tx, {row.digest}, own=True) if one.attester == agency]
    return not mine or not mine[-1].complete or bool(mine[-1].exceptions)


def _prepared(
    ports: Ports,
    tx: Transaction,
    person: str,
    agency: str,
    issuer: Issuer | desk_service_pb2.Problem,
    request: desk_service_pb2.AttestPurgeRequest,
    owed: Sequence[AlertRow],
) -> list[Item]:
    problems = request_problems(request.request_id, request.reason)
    if not owed:
        remedy = "an attestation is owed after a withdrawal, once (exchange inbox list shows ATTESTATION_OWED)"
        problems.append(error("NOTHING_TO_ATTEST", "alert", "your agency owes no attestation for this alert", remedy))
    if not (request.local_lists_updated or request.exceptions):
        remedy = "do it first, then say --lists-updated; or say on what ground something stays: --exception"
        problems.append(error("LISTS_NOT_UPDATED", "lists_updated", "it is not said that local lists are updated", remedy))
    if 0 in request.exceptions:
        problems.append(error("EXCEPTION_UNKNOWN", "exceptions", "an exception has a coded ground", "name one that there is"))
    if isinstance(issuer, desk_service_pb2.Problem):
        problems.append(issuer)
    if any(PartyId.parse(row.originator).trust_domain != given_to(tx, row, agency)[0].log.name.sender for row in owed):
        message = "this alert came through a third country, to which this version does not attest"
        problems.append(error("PASSED_ON", "alert", message, "tell that country by telephone"))
    for row in owed:
        problems += unconfirmed(tx, row, agency, list(request.exceptions))
    if problems or isinstance(issuer, desk_service_pb2.Problem):
        return [NotReleased(request_id=request.request_id, officer=person, problems=tuple(problems))]
    ids = request_ids(request.request_id, LINEAGE_AT_MOST)
    items: list[Item] = []
    for place, row in enumerate(owed):
        given = given_to(tx, row, agency)[0]
        order = Order(
            request_id=ids[place],
            alert=PurgeAttestation(
                manifest_digest=row.digest,
                copies_removed=request.copies_removed,
                local_lists_updated=request.local_lists_updated,
                exceptions=sorted(set(request.exceptions)),
            ),
            about=row.digest,
            thread=given.entry.thread or row.digest,
            to={given.log.name.sender: frozenset({row.originator})},
            reason=request.reason,
            only_with=ids[0] if place else b"",
        )
        items.append(prepare_control(ports, issuer, order))
    return items

"""The duty after a withdrawal: an officer purges copies and lists outside this node, and the agency signs that it was done.

From the withdrawal on the content is blocked here. It is erased once every agency that was given it has attested without an exception; one
that keeps something on a legal ground keeps it blocked until its retention ends (docs/decisions/0022).
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from exchange.v1 import desk_service_pb2
from exchange.v1.agreement_pb2 import AGENCY_CLASS_POLICE
from exchange.v1.control_pb2 import PURGE_EXCEPTION_PASSED_ON, PurgeAttestation, PurgeException
from exchange.values import PartyId, node_of
from node.intake.problems import error
from node.operations.confirm_purge import unconfirmed
from node.operations.control import Issuer, Order, issuer_for, prepare_control, request_ids
from node.operations.inbox import DESK, Given, given_to
from node.operations.officers import agency_of, require
from node.operations.onward_reach import ThirdCountry, passed_on_by
from node.operations.purge import purge_attested
from node.operations.reach import Holders, lineage
from node.operations.recall import Item, Release, answered_before, request_problems, without_followers
from node.operations.release import NotReleased
from node.ports import Known, Ports
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
        items = [] if again else _prepared(ports, tx, person, agency, issuer, request, line)
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
    given = recalls.attestations_of(tx, {row.digest}, own=True)
    mine = [one for one in given if one.attester == agency and not one.on_behalf_of]
    return not mine or not mine[-1].complete or bool(mine[-1].exceptions)


def _prepared(
    ports: Ports,
    tx: Transaction,
    person: str,
    agency: str,
    issuer: Issuer | desk_service_pb2.Problem,
    request: desk_service_pb2.AttestPurgeRequest,
    line: Sequence[AlertRow],
) -> list[Item]:
    problems = request_problems(request.request_id, request.reason)
    owed = [one for one in line if owes(tx, one, agency)]
    thirds = {row.digest: passed_on_by(tx, row.digest, agency) for row in line if any(recalls.withdrawn_by(tx, {row.digest}))}
    on_behalf = [(row, word) for row in line for third in thirds.get(row.digest, ()) if (word := _on_behalf(tx, row, third)) is not None]
    if not owed and not on_behalf:
        remedy = "an attestation is owed after a withdrawal, once (exchange inbox list shows ATTESTATION_OWED)"
        problems.append(error("NOTHING_TO_ATTEST", "alert", "your agency owes no attestation for this alert", remedy))
    if not (request.local_lists_updated or request.exceptions):
        remedy = "do it first, then say --lists-updated; or say on what ground something stays: --exception"
        problems.append(error("LISTS_NOT_UPDATED", "lists_updated", "it is not said that local lists are updated", remedy))
    if any(not answered_to(ports.known, row, given_to(tx, row, agency)) for row in owed):
        message = "the partner that passed this on is unknown here, or describes no agency to answer to"
        problems.append(error("HOLDER_UNREACHABLE", "alert", message, "ask your administrator: exchange partner show"))
    if 0 in request.exceptions:
        problems.append(error("EXCEPTION_UNKNOWN", "exceptions", "an exception has a coded ground", "name one that there is"))
    if isinstance(issuer, desk_service_pb2.Problem):
        problems.append(issuer)
    pending = sorted({one.domain for row in owed for one in thirds[row.digest] if not one.attested})
    if pending and PURGE_EXCEPTION_PASSED_ON not in request.exceptions:
        message = f"your agency passed this on to {', '.join(pending)}, where not everybody has attested yet"
        problems.append(error("PASSED_ON", "exceptions", message, "wait for that, or say so and attest again then: --exception PASSED_ON"))
    if not pending and owed and PURGE_EXCEPTION_PASSED_ON in request.exceptions:
        message = "nobody to whom your agency passed this on still owes an attestation"
        problems.append(error("EXCEPTION_UNFOUNDED", "exceptions", message, "leave PASSED_ON out"))
    for row in owed:
        problems += unconfirmed(tx, row, agency, list(request.exceptions))
    if problems or isinstance(issuer, desk_service_pb2.Problem):
        return [NotReleased(request_id=request.request_id, officer=person, problems=tuple(problems))]
    said = [*((row, _own_word(request, row)) for row in owed), *on_behalf]
    ids = request_ids(request.request_id, len(said))
    items: list[Item] = []
    for place, (row, word) in enumerate(said):
        given = given_to(tx, row, agency)
        order = Order(
            request_id=ids[place],
            alert=word,
            about=row.digest,
            thread=given[0].entry.thread or row.digest,
            to=answered_to(ports.known, row, given) if not word.on_behalf_of else to_originator(row, given),
            reason=request.reason,
            only_with=ids[0] if place else b"",
        )
        items.append(prepare_control(ports, issuer, order))
    return items


def answered_to(known: Known, row: AlertRow, given: Sequence[Given]) -> Holders:
    """To whom an answer to a received alert goes that needs no agreement: the originator, and whoever passed the alert on.

    Which agency passed it on, an entry does not say: there the police is told, or all agencies of a country that describes none.
    """
    found = dict(to_originator(row, given))
    for domain in {one.log.name.sender for one in given} - found.keys():
        agencies = known.partners[domain].node.agencies if domain in known.partners else {}
        police = frozenset(agency for agency, of_class in agencies.items() if of_class == AGENCY_CLASS_POLICE)
        if agencies:
            found[domain] = police or frozenset(agencies)
    return found


def to_originator(row: AlertRow, given: Sequence[Given]) -> Holders:
    """The originator's agency, if its own node told us."""
    domain = PartyId.parse(row.originator).trust_domain
    return {domain: frozenset({row.originator})} if any(one.log.name.sender == domain for one in given) else {}


def _own_word(request: desk_service_pb2.AttestPurgeRequest, row: AlertRow) -> PurgeAttestation:
    return PurgeAttestation(
        manifest_digest=row.digest,
        copies_removed=request.copies_removed,
        local_lists_updated=request.local_lists_updated,
        exceptions=sorted(set(request.exceptions)),
    )


def _on_behalf(tx: Transaction, row: AlertRow, third: ThirdCountry) -> PurgeAttestation | None:
    """What a third country attested to us, for the originator; None until all of it has come, and once it was reported."""
    node = str(node_of(third.domain))
    reported = any(one.on_behalf_of == node for one in recalls.attestations_of(tx, {row.digest}, own=True))
    if reported or not third.attested:
        return None
    given = [one for agency in sorted(third.agencies) if (one := third.of(agency)) is not None]
    return PurgeAttestation(
        manifest_digest=row.digest,
        copies_removed=min(sum(one.copies_removed for one in given), 2**32 - 1),
        local_lists_updated=all(one.lists_updated for one in given),
        exceptions=sorted(
            {number for one in given for name in one.exceptions.split(",") if (number := _exception(name))},
        ),
        on_behalf_of=node,
    )


def _exception(name: str) -> "PurgeException.ValueType":
    value = PurgeException.DESCRIPTOR.values_by_name.get(f"PURGE_EXCEPTION_{name}")
    return PurgeException.ValueType(value.number if value is not None else 0)

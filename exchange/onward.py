"""Leave to pass an alert on, signed by the originating agency (PROTOCOL.md, section 8)."""

from exchange.directory import KnownNode, check_key, check_not_compromised
from exchange.encoding import CAP_STATEMENT, decode, encode
from exchange.errors import Malformed, Refused
from exchange.signing import Signer, Verified, open_statement, sign_statement, statement_digest
from exchange.v1 import disclosure_pb2, manifest_pb2, permit_pb2, statement_pb2
from exchange.values import PartyId, node_of


def sign_permit(permit: permit_pb2.Permit, signer: Signer) -> statement_pb2.Statement:
    """Sign a permit after checking its form."""
    _check_form(permit)
    return sign_statement("permit", encode(permit), [signer])


def open_permit(statement: statement_pb2.Statement, originator: KnownNode, *, held_since: int | None = None) -> Verified[permit_pb2.Permit]:
    """Open a permit that the originator's agency signed. Raises as `open_statement`, `check_key` do, and PERMIT_MALFORMED."""
    (key,) = open_statement(statement, "permit", originator)
    permit = decode(permit_pb2.Permit, statement.payload, CAP_STATEMENT)
    _check_form(permit)
    check_key(key, permit.originator, permit.issued_at)
    check_not_compromised(key, held_since)
    return Verified(value=permit, digest=statement_digest(statement), statement=statement, keys=(key,))


def check_permit(permit: permit_pb2.Permit, *, manifest_digest: bytes, holder: str, third_party: str, recall: bool, at: int) -> None:
    """Check that a permit lets `holder` (a node) pass this manifest to `third_party` (a node) at `at`.

    A recall is admitted even after the permit has expired. Raises `Refused`: PERMIT_OTHER_MANIFEST, PERMIT_OTHER_PARTY, PERMIT_EXPIRED.
    """
    if permit.manifest_digest != manifest_digest:
        raise Refused("PERMIT_OTHER_MANIFEST", "the permit is about another manifest")
    if (permit.holder, permit.third_party) != (holder, third_party):
        raise Refused("PERMIT_OTHER_PARTY", "the permit is for other parties")
    if not recall and not permit.issued_at <= at < permit.expires_at:
        raise Refused("PERMIT_EXPIRED", "the permit is not in force")


def check_scope(permit: permit_pb2.Permit, manifest: manifest_pb2.Manifest, entry: disclosure_pb2.Entry, *, recall: bool) -> None:
    """Check that the permit covers what was disclosed. Only the agency that originated an alert gives leave; its node may recall.

    Raises `Refused`: PERMIT_OTHER_ORIGINATOR, PERMIT_NARROWER.
    """
    node = str(node_of(PartyId.parse(permit.originator).trust_domain))
    if manifest.originator not in ({permit.originator, node} if recall else {permit.originator}):
        raise Refused("PERMIT_OTHER_ORIGINATOR", "the permit is not of the agency that originated the alert")
    if not recall and (entry.purpose != permit.purpose or not set(entry.fields) <= set(permit.fields)):
        raise Refused("PERMIT_NARROWER", "the permit does not cover this purpose and these fields")


def _check_form(permit: permit_pb2.Permit) -> None:
    fields = list(permit.fields)
    wrong = (
        permit.version != 1
        or len(permit.manifest_digest) != 32
        or permit.issued_at >= permit.expires_at
        or fields != sorted(set(fields))
        or PartyId.parse(permit.originator).role != "agency"
        or any(PartyId.parse(party).role != "node" for party in (permit.holder, permit.third_party))
    )
    if wrong:
        raise Malformed("PERMIT_MALFORMED", "the permit breaks a rule of its form")

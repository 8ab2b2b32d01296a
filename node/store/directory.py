"""Rows of partners, agreements and alarms."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from node.store.tables import agreements, alarms, partners


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRow:
    """A partner with its serialized DescriptorChain."""

    trust_domain: str
    fingerprint: bytes
    chain: bytes
    suspended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """An agreement statement and how far it got: proposed, offered, accepted."""

    digest: bytes
    partner: str
    state: str
    statement: bytes
    delivered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """Something that a person must look at."""

    at: int
    code: str
    partner: str
    origin: str
    evidence: bytes = b""
    """What contradicts, if anything was kept: signed notes, a receipt, a descriptor."""
    settled: bool = False
    """An administrator looked into it and set it aside."""


def all_partners(tx: Connection) -> list[PartnerRow]:
    """Every partner by trust domain."""
    rows = tx.execute(select(partners).order_by(partners.c.trust_domain))
    return [PartnerRow(trust_domain=r.trust_domain, fingerprint=r.fingerprint, chain=r.chain, suspended=r.suspended) for r in rows]


def put_partner(tx: Connection, row: PartnerRow, at: int) -> None:
    """Add a partner, or replace its descriptors and state."""
    values = {"fingerprint": row.fingerprint, "chain": row.chain, "suspended": row.suspended}
    if tx.execute(update(partners).where(partners.c.trust_domain == row.trust_domain).values(values)).rowcount == 0:
        tx.execute(partners.insert().values(trust_domain=row.trust_domain, added_at=at, **values))


def all_agreements(tx: Connection) -> list[AgreementRow]:
    """Every agreement, oldest first."""
    return [_agreement(row) for row in tx.execute(select(agreements).order_by(agreements.c.recorded_at, agreements.c.digest))]


def offered_agreements(tx: Connection) -> list[tuple[AgreementRow, int]]:
    """What partners proposed and this node has not accepted, each with when it came, oldest first."""
    wanted = select(agreements).where(agreements.c.state == "offered").order_by(agreements.c.recorded_at, agreements.c.digest)
    return [(_agreement(row), row.recorded_at) for row in tx.execute(wanted)]


def put_agreement(tx: Connection, row: AgreementRow, at: int) -> None:
    """Add an agreement, or replace its state and signatures."""
    values: dict[str, Any] = {"state": row.state, "statement": row.statement, "delivered": row.delivered}
    if tx.execute(update(agreements).where(agreements.c.digest == row.digest).values(values)).rowcount == 0:
        tx.execute(agreements.insert().values(digest=row.digest, partner=row.partner, recorded_at=at, **values))


def raise_alarm(tx: Connection, at: int, code: str, *, partner: str, origin: str = "", evidence: bytes | None = None) -> bool:
    """Raise an alarm, and say whether it is new; the same one again keeps its first time and evidence, unless it had been settled."""
    same = (alarms.c.code == code, alarms.c.partner == partner, alarms.c.origin == origin)
    known = tx.execute(select(alarms.c.settled_at).where(*same)).first()
    if known is not None and known.settled_at is None:
        return False
    if known is not None:
        again = {"at": at, "settled_at": None, **({"evidence": evidence} if evidence else {})}
        tx.execute(update(alarms).where(*same).values(again))
        return True
    tx.execute(alarms.insert().values(at=at, code=code, partner=partner, origin=origin, evidence=evidence))
    return True


def clear_alarm(tx: Connection, code: str, *, partner: str, origin: str = "") -> None:
    """Clear an alarm whose cause has gone."""
    tx.execute(delete(alarms).where(alarms.c.code == code, alarms.c.partner == partner, alarms.c.origin == origin))


def settle_alarm(tx: Connection, at: int, row: AlarmRow) -> None:
    """Set an alarm aside: it stands no longer, and stays with its evidence."""
    same = (alarms.c.code == row.code, alarms.c.partner == row.partner, alarms.c.origin == row.origin)
    tx.execute(update(alarms).where(*same).values(settled_at=at))


def alarms_about(tx: Connection, origin: str) -> dict[str, bytes]:
    """The alarms about one log: their codes, each with what was kept as evidence (empty if nothing was)."""
    rows = tx.execute(select(alarms.c.code, alarms.c.evidence).where(alarms.c.origin == origin).order_by(alarms.c.id))
    return {row.code: row.evidence or b"" for row in rows}


def all_alarms(tx: Connection) -> list[AlarmRow]:
    """Every alarm, those that were settled among them, oldest first."""
    rows = tx.execute(select(alarms).order_by(alarms.c.id))
    return [
        AlarmRow(
            at=row.at,
            code=row.code,
            partner=row.partner,
            origin=row.origin,
            evidence=row.evidence or b"",
            settled=row.settled_at is not None,
        )
        for row in rows
    ]


def standing_alarms(tx: Connection) -> list[AlarmRow]:
    """Every alarm that nobody settled, oldest first."""
    return [row for row in all_alarms(tx) if not row.settled]


def _agreement(row: Row[Any]) -> AgreementRow:
    return AgreementRow(digest=row.digest, partner=row.partner, state=row.state, statement=row.statement, delivered=row.delivered)

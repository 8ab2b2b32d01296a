"""What is noted beside an alert when it is released or comes in: until when it is kept, and under which tokens its subjects are found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from google.protobuf.message import Message

from exchange.disclosure import Disclosure
from exchange.profile import AlertType, alert_type
from exchange.retention import NationalRule, erase_by, term
from node.config import RetentionSection
from node.operations.standing import states_held
from node.ports import Ports
from node.store.alerts import AlertRow
from node.store.envelope import period_of
from node.store.retention import set_term
from node.store.subjects import index_alert
from node.store.transaction import Transaction
from node.store.vault import DataKey
from node.subjects import is_document, names_one_person, terms_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """Of one received alert, from all its disclosures in one batch."""

    period: str
    key: DataKey
    """A fresh data key, wrapped for that period; for what is held already it is not used."""
    limit: int
    """The shortest of what they state and the national rule, Unix milliseconds, counted from now."""
    tokens: bytes
    person: bytes
    """As in `Tokens`."""


def national_rule(section: RetentionSection) -> NationalRule:
    """The national rule that the configuration states. Raises `Malformed` (ALERT_TYPE_UNKNOWN) for a limit of no alert type."""
    days = {alert_type(f"exchange.v1.{name}").name: limit for name, limit in section.days}
    return NationalRule(default_days=section.default_days, by_type=days, review_days=section.review_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Under which tokens an alert is found."""

    joined: bytes
    """All of them, for the index."""
    person: bytes
    """Those of a document's number, or of a name with a birth date to the day, joined: what is told of hardly more than one person."""
    names: frozenset[bytes]
    """Those of `person` that are of a name."""


def tokens_of(ports: Ports, kind: AlertType, alert: Message) -> Tokens:
    """The tokens of the people that an alert tells of; empty if it names none."""
    tokens = {term: ports.vault.subject_token(term) for term in terms_of(kind, alert)}
    person = [term for term in tokens if names_one_person(term)]
    return Tokens(
        joined=b"".join(tokens.values()),
        person=b"".join([tokens[term] for term in person]),
        names=frozenset([tokens[term] for term in person if not is_document(term)]),
    )


def term_columns(ports: Ports, start: int, limit: int) -> dict[str, int]:
    """The columns of an alert's row that say what is due when."""
    kept = term(start, limit, ports.retention.review_days)
    return {"erase_by": kept.erase_by, "due_at": kept.next_at}


def own_limit(ports: Ports, kind: AlertType, handling_days: int, now: int) -> int:
    """Until when this office keeps an alert of its own that it releases now."""
    return erase_by(now, (handling_days,), ports.retention.days(kind.name))


def notes_of(ports: Ports, kept: Iterable[tuple[int, Disclosure]], now: int) -> dict[bytes, Notes]:
    """What is to be noted of a received batch, by manifest digest. Outside any transaction, as the vault wants it."""
    found: dict[bytes, Notes] = {}
    for _, disclosure in kept:
        stated = [disclosure.manifest.value.handling.retention_days, disclosure.entry.stricter.retention_days]
        if disclosure.clause is not None:
            stated.append(disclosure.clause.maximum_retention_days)
        limit = erase_by(now, stated, ports.retention.days(disclosure.kind.name))
        tokens = tokens_of(ports, disclosure.kind, disclosure.alert)
        earlier = found.get(disclosure.manifest.digest)
        if earlier is None:
            period = period_of(disclosure.manifest.value.not_after, now)
            key = ports.vault.new_data_key(ports.store, period)
            found[disclosure.manifest.digest] = Notes(period=period, key=key, limit=limit, tokens=tokens.joined, person=tokens.person)
        else:
            found[disclosure.manifest.digest] = replace(
                earlier,
                limit=min(limit, earlier.limit),
                tokens=earlier.tokens + tokens.joined,
                person=earlier.person + tokens.person,
            )
    return found


def note_received(
    ports: Ports, tx: Transaction, notes: Mapping[bytes, Notes], references: Mapping[bytes, int], held: Iterable[AlertRow], now: int
) -> None:
    """Index what came in; what was held before and is told again under a shorter limit has that from now on, counted from its receipt."""
    index_alert(tx, {references[digest]: note.tokens for digest, note in notes.items()})
    for digest, note in notes.items():
        ports.subjects.add(references[digest], note.person)
    for row in held:
        limit = row.recorded_at + notes[row.digest].limit - now
        if limit < row.erase_by:
            kept = term(row.recorded_at, limit, ports.retention.review_days)
            set_term(tx, row.id, kept.erase_by, min(row.due_at, kept.erase_by))


def state_again(tx: Transaction, row: AlertRow) -> str:
    """The state of a received alert that was erased and is told again."""
    return states_held(tx, [replace(row, state="active")])[row.digest]

"""Put another manifest in an alert's place: an update without fault, such as another flight, or a correction of what was wrong.

Whoever was told and is still admitted by a clause gets the new manifest, which supersedes all earlier ones. After a correction everybody
who was told learns which fields were wrong; after an update only those do whom no clause admits any more. They are given no new values:
what they hold reads as disputed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace
from typing import Final

from exchange.encoding import cut
from exchange.errors import ExchangeError
from exchange.profile import AlertType, alert_types
from exchange.v1 import desk_service_pb2
from exchange.v1.control_pb2 import CORRECTION_REASON_OUT_OF_DATE, Correction
from exchange.v1.desk_service_pb2 import OnRequestGrant
from node.intake.problems import error
from node.operations.approved import Approved
from node.operations.consequences import Consequence
from node.operations.contents import purpose_of_alert, unpack_content
from node.operations.control import Guard, Issuer, Order, issuer_for, prepare_control, request_ids
from node.operations.officers import LIAISON, agency_of, require
from node.operations.onward_reach import leave_given
from node.operations.planning import Plan, plan
from node.operations.preview import APPROVALS, denials_of, preview_with
from node.operations.reach import Holders, Telling, audiences, lineage, lineage_obstacle, tellings, withdrawn
from node.operations.recall import (
    LINEAGE_AT_MOST,
    Item,
    Release,
    answered_before,
    as_confirmed,
    done_before,
    request_problems,
    waiting_for,
    without_followers,
)
from node.operations.release import NotReleased, Prepared, prepare
from node.ports import Known, Ports
from node.store import alerts, logs, recalls
from node.store.alerts import AlertRow
from node.store.recalls import RecallKind
from node.store.transaction import Transaction

_OUT_OF_DATE: Final = "OUT_OF_DATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """An alert that is to be replaced."""

    rows: Sequence[AlertRow]
    """Its manifests, oldest first."""
    told: Mapping[bytes, Sequence[Telling]]
    """By manifest digest."""
    corrected: frozenset[bytes]
    """Manifests of which it was said before that something was wrong in them."""
    leave: Mapping[bytes, Mapping[str, set[str]]]
    """By manifest digest: the countries that may pass it on, and to whom. They never are admitted to a successor there."""
    stopped: frozenset[str]
    """Partners whose log is stopped: nothing new can go there now."""

    @property
    def agencies(self) -> set[str]:
        """Everybody who was told any of them."""
        return {agency for told in self.told.values() for one in told for agency in one.entry.audience}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """What would take an alert's place, and for whom."""

    kind: AlertType
    draft: desk_service_pb2.Draft
    """With everybody to whom it would go."""
    wrong: tuple[int, ...]
    decided: Plan
    """About those who were told before."""
    not_admitted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Foreseen:
    """What a replacement would do, for people to read. No repr: it is about a person."""

    draft: desk_service_pb2.Draft
    """As it would go."""
    shown: desk_service_pb2.PreviewAlertResponse
    wrong: tuple[int, ...] = ()
    """Fields that would be named as wrong, or that differ."""
    not_admitted: tuple[str, ...] = ()
    """Who was told before, and would be given no new values."""
    why: Mapping[str, Sequence[desk_service_pb2.Problem]] = field(default_factory=dict)
    """For each of them."""
    noticed: tuple[str, ...] = ()
    """Who would learn that what they hold is wrong, or out of date."""
    alerts: tuple[bytes, ...] = ()
    """The manifests whose place it takes, oldest first."""
    not_after: int = 0
    """Until when the newest of them holds."""

    @property
    def waits(self) -> bool:
        """Whether somebody would be given it only after a second officer's approval."""
        return any(problem.code == APPROVALS for problems in self.why.values() for problem in problems)


def replace_alert(
    ports: Ports,
    person: str,
    request: desk_service_pb2.ReplaceAlertRequest,
    release: Release,
    approved: Approved | None = None,
) -> desk_service_pb2.ReplaceAlertResponse:
    """Update or correct an alert of the caller's agency; `release` gives all of it its places, or none.

    What was confirmed goes to exactly those whom the confirmation names, as it was seen, or to nobody (PREVIEW_CHANGED, REACH_CHANGED).
    The same request again answers as the first time, while what it did still holds. Raises `NotPermitted`, and `NotFound` as `alerts.find`.
    """
    agency = agency_of(require(ports, person, (LIAISON,)))
    issuer = issuer_for(ports, person, (LIAISON,), in_node_name=False)
    approved = approved or Approved()
    confirmation = approved.confirmations[0] if approved.confirmations else None
    if isinstance(issuer, Issuer):
        issuer = dataclass_replace(issuer, confirmation=confirmation)
    with ports.store.read() as tx:
        row = alerts.find(tx, request.alert, originator=agency)
        line = _line(tx, row)
        again = answered_before(tx, request.draft.request_id, agency)
        answered = _response(tx, again, request, ())
        obstacle = _undone(answered, line) if again else _overtaken(request, row, line)
        if again and obstacle is None:
            return answered
        fragments = _fragments(ports, tx, line.rows[-1])
        obstacle = obstacle or lineage_obstacle(tx, [one.digest for one in line.rows], agency)
    weighed = _weigh(ports, request, row, line, fragments, 0)
    problems = request_problems(request.draft.request_id, request.reason)
    problems += weighed if isinstance(weighed, list) else []
    problems += [one for one in (obstacle, issuer) if isinstance(one, desk_service_pb2.Problem)]
    if problems or isinstance(weighed, list) or isinstance(issuer, desk_service_pb2.Problem):
        items: list[Item] = [NotReleased(request_id=request.draft.request_id, officer=person, problems=tuple(problems))]
        return desk_service_pb2.ReplaceAlertResponse(replacement=release(items)[0])
    draft, not_admitted = weighed.draft, weighed.not_admitted
    first = (
        prepare(ports, person, draft, request.reason, seen=approved.seen, confirmations=approved.confirmations)
        if draft.recipients
        else None
    )
    if isinstance(first, NotReleased):
        return desk_service_pb2.ReplaceAlertResponse(replacement=release([first])[0], not_admitted=not_admitted)
    items = _corrections(ports, issuer, request, line, first, weighed.wrong, not_admitted)
    if (request.correction_reason and not weighed.wrong) or not (first or items):
        items = [NotReleased(request_id=draft.request_id, officer=person, problems=(_nothing_changed(),))]
        return desk_service_pb2.ReplaceAlertResponse(replacement=release(items)[0])
    items = list(as_confirmed(items, confirmation))
    if first is not None and not any(isinstance(one, NotReleased) for one in items):
        items = [dataclass_replace(first, consequence=_SameLeave(leave=line.leave, then=first.consequence)), *items]
    answers = release(items)
    with ports.store.read() as tx:
        return _response(tx, without_followers(answers), request, not_admitted)


def foresee(
    ports: Ports, person: str, request: desk_service_pb2.ReplaceAlertRequest, *, approvals: int = 0, others: bool = True
) -> Foreseen:
    """What `replace_alert` would do with the same request, once so many persons besides the author have approved it.

    Nothing is stored and nothing leaves; `others` as for `preview_with`. Raises `NotPermitted`, and `NotFound` as `alerts.find`.
    """
    agency = agency_of(require(ports, person, (LIAISON,)))
    with ports.store.read() as tx:
        row = alerts.find(tx, request.alert, originator=agency)
        line = _line(tx, row)
        fragments = _fragments(ports, tx, line.rows[-1])
        obstacle = _overtaken(request, row, line) or lineage_obstacle(tx, [one.digest for one in line.rows], agency)
    weighed = _weigh(ports, request, row, line, fragments, approvals)
    if isinstance(weighed, list):
        shown = preview_with(ports, person, request.draft, approvals=approvals, others=others)
        shown.problems.extend(weighed)
        return Foreseen(draft=request.draft, shown=shown)
    shown = preview_with(ports, person, weighed.draft, approvals=approvals, others=others)
    if obstacle:
        shown.problems.append(obstacle)
    if request.correction_reason and not weighed.wrong:
        shown.problems.append(_nothing_changed())
    noticed = {name for row, told in _concerned(line, request, weighed.not_admitted) for agencies in told.values() for name in agencies}
    return Foreseen(
        draft=weighed.draft,
        shown=shown,
        wrong=weighed.wrong,
        not_admitted=weighed.not_admitted,
        why={one: denials_of(weighed.decided, one) for one in weighed.not_admitted},
        noticed=tuple(sorted(noticed)),
        alerts=tuple(one.digest for one in line.rows),
        not_after=line.rows[-1].not_after,
    )


def told_before(ports: Ports, person: str, draft: desk_service_pb2.Draft, agency: str) -> tuple[bytes, dict[int, bytes]]:
    """What an agency holds of the alert whose place a draft takes: digest and fragments by field; nothing if it was told nothing of it."""
    own = agency_of(require(ports, person, (LIAISON,)))
    with ports.store.read() as tx:
        for row in sorted(alerts.by_digests(tx, draft.supersedes).values(), key=lambda one: -one.id):
            told = {number for one in tellings(tx, row) if agency in one.entry.audience for number in one.entry.fields}
            if told and row.originator == own:
                held = _fragments(ports, tx, row)
                return row.digest, {number: held.get(number, b"") for number in told}
    return b"", {}


def _weigh(
    ports: Ports,
    request: desk_service_pb2.ReplaceAlertRequest,
    row: AlertRow,
    line: _Line,
    fragments: Mapping[int, bytes],
    approvals: int,
) -> _Weighed | list[desk_service_pb2.Problem]:
    kind = alert_types().get(request.draft.alert_type)
    if kind is None or kind.name != row.alert_type:
        return [error("OTHER_TYPE", "type", "an alert is replaced by one of its own type", "write the same type")]
    if not set(request.wrong_fields) <= kind.profile:
        return [error("FIELD_UNKNOWN", "wrong", "this alert type has no such field", "name one that it has")]
    draft = _draft(ports.known, request.draft, line)
    decided = _decided(ports, draft, kind, line, approvals)
    admitted = {agency for one in decided.planned if one.partner not in line.stopped for agency in one.audience}
    # Whoever the file names besides is told too, or nobody is; whoever was told before and is not admitted any more is no obstacle.
    draft.recipients[:] = sorted((set(request.draft.recipients) - line.agencies) | admitted)
    grants = [grant for grant in draft.on_request if grant.recipient in draft.recipients]
    del draft.on_request[:]
    draft.on_request.extend(grants)
    return _Weighed(
        kind=kind,
        draft=draft,
        wrong=tuple(sorted(set(request.wrong_fields)) or _changed(fragments, cut(draft.alert), kind)),
        decided=decided,
        not_admitted=tuple(sorted(line.agencies - admitted)),
    )


def _nothing_changed() -> desk_service_pb2.Problem:
    return error("NOTHING_CHANGED", "alert", "nothing differs from the alert that it would replace", "name what was wrong: --wrong")


def _line(tx: Transaction, row: AlertRow) -> _Line:
    rows = lineage(tx, row)
    held = recalls.recalls_of(tx, {one.digest for one in rows})
    return _Line(
        rows=rows,
        told={one.digest: tellings(tx, one) for one in rows},
        leave={one.digest: leave_given(tx, one.digest) for one in rows},
        # That it is out of date, as an update tells some, says nothing of what was wrong.
        corrected=frozenset(one.referent for one in held if one.kind is RecallKind.CORRECTION and one.reason != _OUT_OF_DATE),
        stopped=frozenset(
            log.name.recipient
            for log in (logs.newest_log(tx, partner, outbound=True) for partner in {log.name.recipient for log in logs.all_logs(tx)})
            if log is not None and log.state != "open"
        ),
    )


def _undone(answered: desk_service_pb2.ReplaceAlertResponse, line: _Line) -> desk_service_pb2.Problem | None:
    """Why the first answer would mislead: the manifest that it names has itself been replaced or withdrawn since."""
    newest = line.rows[-1]
    if newest.state == "withdrawn":
        return withdrawn()
    if answered.HasField("replacement") and answered.replacement.manifest_digest != newest.digest:
        return done_before("this was put in the alert's place before, and something else has taken its place since")
    return None


def _overtaken(request: desk_service_pb2.ReplaceAlertRequest, named: AlertRow, line: _Line) -> desk_service_pb2.Problem | None:
    """Why an officer has to look again: the file was written without what a colleague changed since."""
    newest = line.rows[-1]
    if not request.as_it_stands or named.digest == newest.digest or newest.state == "withdrawn":
        return None
    remedy = f"read what holds now: exchange alert show {newest.digest.hex()[:12]}; then replace that one"
    return error("ALREADY_SUPERSEDED", "alert", "another alert took this one's place already", remedy)


def _fragments(ports: Ports, tx: Transaction, row: AlertRow) -> dict[int, bytes]:
    """What the manifest in use says, field by field; empty if it was erased."""
    try:
        data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
        content = unpack_content(data_key.open(purpose_of_alert(row.alert_id), row.sealed or b""))
    except ExchangeError:
        return {}
    return {opening.field: opening.fragment for opening in content.openings if opening.fragment}


def _draft(known: Known, given: desk_service_pb2.Draft, line: _Line) -> desk_service_pb2.Draft:
    """The replacement: it supersedes every manifest before it, and gives on request what was given on request."""
    draft = desk_service_pb2.Draft()
    draft.CopyFrom(given)
    draft.supersedes[:] = [row.digest for row in line.rows]
    asked = {(grant.recipient, grant.field): grant for grant in _given_on_request(known, line)}
    asked |= {(grant.recipient, grant.field): grant for grant in given.on_request}
    del draft.on_request[:]
    draft.on_request.extend(asked[place] for place in sorted(asked))
    return draft


def _given_on_request(known: Known, line: _Line) -> Iterator[OnRequestGrant]:
    """What each agency was given for a ground of its case; of several grounds the newest stands for all."""
    newest: dict[str, Telling] = {}
    fields: dict[str, set[int]] = {}
    for one in (one for told in line.told.values() for one in told if one.entry.on_request_ground):
        agreed = known.agreements.get(one.entry.agreement_digest)
        clause = agreed.clauses.get(one.entry.clause) if agreed else None
        for agency in one.entry.audience if clause else ():
            newest[agency] = one
            fields.setdefault(agency, set()).update(set(one.entry.fields) & set(clause.on_request) if clause else ())
    for agency, one in newest.items():
        for number in fields[agency]:
            ground, digest = one.entry.on_request_ground, one.entry.request_digest
            yield OnRequestGrant(recipient=agency, field=number, ground=ground, request_digest=digest)


def _decided(ports: Ports, draft: desk_service_pb2.Draft, kind: AlertType, line: _Line, approvals: int) -> Plan:
    """What a clause in force still lets go to those who were told, now."""
    asked = desk_service_pb2.Draft()
    asked.CopyFrom(draft)
    asked.recipients[:] = sorted(line.agencies)
    return plan(asked, cut(draft.alert), kind, ports.known, ports.clock.now_ms(), approvals=approvals)


def _changed(before: Mapping[int, bytes], now: Mapping[int, bytes], kind: AlertType) -> list[int]:
    return [number for number in kind.numbers if before.get(number, b"") != now.get(number, b"")]


def _corrections(
    ports: Ports,
    issuer: Issuer,
    request: desk_service_pb2.ReplaceAlertRequest,
    line: _Line,
    first: Prepared | None,
    wrong: Sequence[int],
    not_admitted: Sequence[str],
) -> list[Item]:
    """One for each manifest of which somebody is to learn that it was wrong, or is out of date."""
    ids = request_ids(request.draft.request_id, LINEAGE_AT_MOST + 1)
    places = {row.digest: place for place, row in enumerate(line.rows, 1)}
    items: list[Item] = []
    for row, told in _concerned(line, request, not_admitted):
        place = places[row.digest]
        message = Correction(
            manifest_digest=row.digest,
            reason=request.correction_reason or CORRECTION_REASON_OUT_OF_DATE,
            wrong_fields=wrong,
            replaced_by=first.alert["digest"] if first else None,
        )
        order = Order(
            request_id=ids[place] if first or items else ids[0],
            alert=message,
            about=row.digest,
            thread=line.told[row.digest][0].entry.thread or row.digest,
            to=told,
            reason=request.reason,
            only_with=ids[0] if first or items else b"",
        )
        items.append(prepare_control(ports, issuer, order, None if first or items else _guard(line)))
    return items


def _concerned(
    line: _Line, request: desk_service_pb2.ReplaceAlertRequest, not_admitted: Sequence[str]
) -> Iterator[tuple[AlertRow, Holders]]:
    """Each manifest that was told and not corrected before, for everybody; after an update for those whom no clause admits any more."""
    update = not request.correction_reason
    for row in line.rows:
        told = audiences(line.told[row.digest])
        if update:
            # Where it may have been passed on, the third country learns by way of the holder that what it has is out of date.
            passing = line.leave[row.digest]
            told = {
                partner: left
                for partner, agencies in told.items()
                if (left := agencies if partner in passing else agencies & frozenset(not_admitted))
            }
        if told and (update or row.digest not in line.corrected):
            yield row, told


@dataclass(frozen=True, slots=True, kw_only=True)
class _SameLeave:
    """Nobody was let pass the alert on while its successor was prepared: they would have to be told of it too."""

    leave: Mapping[bytes, Mapping[str, set[str]]]
    then: Consequence | None
    """What else follows from the successor."""

    def obstacle(self, ports: Ports, tx: Transaction) -> desk_service_pb2.Problem | None:
        """That somebody was, or what else stands in the way."""
        if any(leave_given(tx, digest) != found for digest, found in self.leave.items()):
            return error("REACH_CHANGED", "alert", "leave to pass it on was given meanwhile", "ask again")
        return self.then.obstacle(ports, tx) if self.then else None

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        """What else follows."""
        if self.then:
            self.then.take_effect(ports, tx, now)


def _guard(line: _Line) -> Guard:
    """Nobody else replaced or withdrew the alert meanwhile: of two corrections the first holds."""
    newest = line.rows[-1]

    def guard(tx: Transaction) -> desk_service_pb2.Problem | None:
        return lineage_obstacle(tx, [row.digest for row in line.rows], newest.originator)

    return guard


def _response(
    tx: Transaction,
    answers: Sequence[desk_service_pb2.PublishedAlert],
    request: desk_service_pb2.ReplaceAlertRequest,
    not_admitted: Sequence[str],
) -> desk_service_pb2.ReplaceAlertResponse:
    rows = alerts.by_digests(tx, {answer.manifest_digest for answer in answers})
    replacing = [answer for answer in answers if _replaces(rows.get(answer.manifest_digest), request)]
    return desk_service_pb2.ReplaceAlertResponse(
        replacement=replacing[0] if replacing else None,
        corrections=[answer for answer in answers if answer not in replacing],
        not_admitted=not_admitted,
        waiting=waiting_for(tx, answers),
    )


def _replaces(row: AlertRow | None, request: desk_service_pb2.ReplaceAlertRequest) -> bool:
    """Whether that is the replacement, or what was refused in its place."""
    return row is None or row.alert_type == request.draft.alert_type

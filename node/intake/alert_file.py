"""An alert file: what an officer wants sent, and to whom, in YAML or JSON and in the field names of the schema.

```yaml
type: TravelAlert
language: en-GB                       # of every text that names none itself
recipients: [spiffe://kh.alerts.example/agency/gdi]
purpose: PREVENTION
not_after: P30D                       # or an instant with its zone
handling: {codes: [H1], retention_days: 180}
leave_out: [appearance]               # permitted fields that go to nobody
on_request:
  - {recipient: kh.alerts.example/agency/ahtjp, field: national_reference, ground: INVESTIGATION}
alert:
  documents: [{mrz: [line, line]}]    # ICAO 9303; fills document, name, birth, sex, nationality
```

Optional besides: `originator` (an agency), and the digests `thread`, `in_reply_to` and `supersedes`. A handling that names no
permitted purposes permits the alert's own purpose and no other.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from google.protobuf.message import Message

from exchange.encoding import encode
from exchange.errors import Malformed
from exchange.profile import AlertType, alert_types
from exchange.v1.desk_service_pb2 import Draft, OnRequestGrant, Problem
from exchange.v1.disclosure_pb2 import OnRequestGround
from exchange.v1.handling_pb2 import Handling, Purpose
from exchange.values import PartyId
from node.intake.fields import FieldReader, is_nothing, read_enum, read_hex, unknown_name
from node.intake.fill_in import fill_in
from node.intake.instants import InstantInvalid, read_instant_or_days
from node.intake.paths import at, item
from node.intake.plain_document import DocumentInvalid, Plain, read_document
from node.intake.problems import covers, error, merge, refusal, refuses
from node.intake.value_checks import check_values

_AGENCY: Final = "write its SPIFFE ID, such as spiffe://kh.alerts.example/agency/gdi"
_DIGEST_BYTES: Final = 32
_KEYS: Final = (
    "type",
    "language",
    "originator",
    "recipients",
    "purpose",
    "handling",
    "not_after",
    "leave_out",
    "on_request",
    "thread",
    "in_reply_to",
    "supersedes",
    "not_disclosed",
    "alert",
)
_GRANT_KEYS: Final = ("recipient", "field", "ground", "request_digest")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LoadedAlert:
    """What a file says, as far as it can be read. `draft.request_id` is left for the caller to choose."""

    draft: Draft
    problems: tuple[Problem, ...]

    @property
    def refused(self) -> bool:
        """Whether something must be mended first."""
        return refuses(self.problems)


def load_alert_file(text: str, *, name: str, today: date) -> LoadedAlert:
    """Read an alert file; everything that is wrong is in `problems`, by field. `name` ends in .json for JSON.

    `today` (UTC) is what `P30D` counts from and what the centuries of a machine readable zone are told by. Whether the alert
    is complete is not asked here: see `node.intake.completeness`.
    """
    try:
        document = read_document(text, name=name)
    except DocumentInvalid as invalid:
        return LoadedAlert(draft=Draft(), problems=(refusal(invalid, ""),))
    if not isinstance(document, dict):
        problem = error("DOCUMENT_MAPPING", "", "the file is not a mapping of names to values", "begin with `type: TravelAlert`")
        return LoadedAlert(draft=Draft(), problems=(problem,))
    reader = _AlertFile(document, today)
    draft = reader.draft()
    return LoadedAlert(draft=draft, problems=merge(reader.problems))


def alert_type_called(name: str) -> AlertType | None:
    """Find an alert type by its short or full name."""
    return alert_types().get(name) or alert_types().get(f"exchange.v1.{name}")


def read_agency(text: Plain, path: str) -> str | Problem:
    """Read an agency's SPIFFE ID, of which `spiffe://` may be left out; tell the problem if it is none."""
    if isinstance(text, str):
        try:
            party = PartyId.parse(text if "://" in text else f"spiffe://{text}")
        except Malformed:
            return error("AGENCY_MALFORMED", path, "not the id of an agency", _AGENCY)
        if party.role == "agency" and party.path.count("/") == 2:
            return str(party)
    return error("AGENCY_MALFORMED", path, "not the id of an agency", _AGENCY)


class _AlertFile:
    def __init__(self, document: dict[str, Plain], today: date) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._today = today

    def draft(self) -> Draft:
        draft = Draft()
        for key in self._document:
            if key not in _KEYS:
                self.problems.append(unknown_name(_KEYS, key, ""))
        kind = self._type()
        self._recipients(draft)
        self._purpose(draft)
        self._not_after(draft, kind)
        self._handling(draft)
        if not is_nothing(originator := self._document.get("originator")):
            draft.originator = self._keep(read_agency(originator, "originator")) or ""
        draft.thread = self._digest(self._document.get("thread"), "thread")
        draft.in_reply_to = self._digest(self._document.get("in_reply_to"), "in_reply_to")
        draft.supersedes.extend(self._digest(value, path) for value, path in self._list("supersedes"))
        if not is_nothing(self._document.get("not_disclosed")):
            remedy = "write an alert of your own; what others told you is passed on only under their permit"
            self.problems.append(error("NOT_DISCLOSED", "not_disclosed", "this is what another country showed you", remedy))
        if kind:
            draft.alert_type = kind.name
            draft.alert = encode(self._alert(kind))
            self._fields(draft, kind)
        return draft

    def _keep(self, read: str | Problem) -> str | None:
        if isinstance(read, Problem):
            self.problems.append(read)
            return None
        return read

    def _list(self, key: str) -> list[tuple[Plain, str]]:
        given = self._document.get(key)
        if is_nothing(given):
            return []
        return [(value, item(key, index)) for index, value in enumerate(given if isinstance(given, list) else [given])]

    def _type(self) -> AlertType | None:
        given = self._document.get("type")
        kind = alert_type_called(given) if isinstance(given, str) else None
        if kind is None:
            known = ", ".join(name.rpartition(".")[2] for name in alert_types())
            code, said = ("TYPE_MISSING", "the alert's type is missing") if is_nothing(given) else ("TYPE_UNKNOWN", "no such type")
            self.problems.append(error(code, "type", said, f"write one of {known}"))
        return kind

    def _recipients(self, draft: Draft) -> None:
        for value, path in self._list("recipients"):
            agency = self._keep(read_agency(value, path))
            if agency in draft.recipients:
                self.problems.append(error("RECIPIENT_TWICE", path, "this recipient is named twice", "keep one of the two"))
            elif agency:
                draft.recipients.append(agency)

    def _purpose(self, draft: Draft) -> None:
        given = self._document.get("purpose")
        if is_nothing(given):
            return
        purpose = read_enum(Purpose.DESCRIPTOR, given, "purpose")
        if isinstance(purpose, Problem):
            self.problems.append(purpose)
        else:
            draft.purpose = Purpose.ValueType(purpose)

    def _not_after(self, draft: Draft, kind: AlertType | None) -> None:
        given = self._document.get("not_after")
        if is_nothing(given):
            return
        if kind and kind.control:
            self.problems.append(error("NOT_AFTER_CONTROL", "not_after", "a recall or an answer does not expire", "leave not_after out"))
            return
        try:
            if not isinstance(given, str):
                raise InstantInvalid("INSTANT_SYNTAX", "not a point in time: write P30D or 2027-03-04T18:00Z")
            draft.not_after = read_instant_or_days(given, self._today)
        except InstantInvalid as invalid:
            self.problems.append(refusal(invalid, "not_after"))

    def _handling(self, draft: Draft) -> None:
        given = self._document.get("handling")
        if not is_nothing(given):
            reader = FieldReader(language="", today=self._today)
            draft.handling.CopyFrom(reader.read(Handling, given, "handling"))
            self.problems += reader.problems + list(check_values(draft.handling, "handling"))
        handling = draft.handling
        if not handling.permitted_purposes and draft.purpose:
            handling.permitted_purposes.append(draft.purpose)
        elif draft.purpose and draft.purpose not in handling.permitted_purposes:
            remedy = "add the purpose to the permitted ones, or send the alert for one of those"
            self.problems.append(
                error("HANDLING_PURPOSE", "handling.permitted_purposes", "the alert's own purpose is not permitted", remedy)
            )
        # The manifest wants them ascending, whatever order people like.
        handling.codes[:] = sorted(set(handling.codes))
        handling.permitted_purposes[:] = sorted(set(handling.permitted_purposes))

    def _digest(self, given: Plain, path: str) -> bytes:
        if is_nothing(given):
            return b""
        read = read_hex(given, path)
        if isinstance(read, bytes) and len(read) == _DIGEST_BYTES:
            return read
        remedy = "write its 64 hexadecimal digits"
        self.problems.append(error("DIGEST_MALFORMED", path, "not the digest of a manifest", remedy))
        return b""

    def _alert(self, kind: AlertType) -> Message:
        language = self._document.get("language")
        reader = FieldReader(language=language if isinstance(language, str) else "", today=self._today)
        given = self._document.get("alert")
        alert = reader.read(kind.message, {} if is_nothing(given) else given, "")
        fill_in(alert)
        unread = [problem.field for problem in reader.problems]
        self.problems += reader.problems
        # A value that could not be read left a hole, of which the schema may complain at the same place.
        self.problems += [problem for problem in check_values(alert) if not any(covers(path, problem.field) for path in unread)]
        return alert

    def _fields(self, draft: Draft, kind: AlertType) -> None:
        numbers = {field.name: field.number for field in kind.fields}
        for value, path in self._list("leave_out"):
            if number := self._number(numbers, value, path):
                draft.unticked.append(number)
        draft.unticked[:] = sorted(set(draft.unticked))
        for value, path in self._list("on_request"):
            self._grant(draft, numbers, value, path)

    def _number(self, numbers: dict[str, int], value: Plain, path: str) -> int:
        number = numbers.get(value, 0) if isinstance(value, str) else 0
        if not number:
            problem = unknown_name(numbers, value if isinstance(value, str) else "", path)
            problem.field = path
            self.problems.append(problem)
        return number

    def _grant(self, draft: Draft, numbers: dict[str, int], value: Plain, path: str) -> None:
        if not isinstance(value, dict):
            remedy = f"write its parts by name: {', '.join(_GRANT_KEYS)}"
            self.problems.append(error("MAPPING_EXPECTED", path, "a field given on request has parts", remedy))
            return
        self.problems += [unknown_name(_GRANT_KEYS, key, path) for key in value if key not in _GRANT_KEYS]
        recipient = self._keep(read_agency(value.get("recipient"), at(path, "recipient"))) or ""
        ground = read_enum(OnRequestGround.DESCRIPTOR, value.get("ground"), at(path, "ground"))
        if isinstance(ground, Problem):
            self.problems.append(ground)
            ground = 0
        draft.on_request.append(
            OnRequestGrant(
                recipient=recipient,
                field=self._number(numbers, value.get("field"), at(path, "field")),
                ground=OnRequestGround.ValueType(ground),
                request_digest=self._digest(value.get("request_digest"), at(path, "request_digest")),
            )
        )

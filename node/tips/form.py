"""What an NGO sends, as a tip and the reporter's contact details: strict JSON, every value checked, nothing guessed.

```json
{"language": "km", "tip": {"observed": "2027-03-04", "…": "…"}, "contact": {"telephone": "…"}}
```

Texts are texts: a link, markup or code in them means nothing to anybody here. What could reorder or hide a text (control characters,
bidirectional overrides) is refused, and so is a name in letters of several scripts.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from exchange.v1.desk_service_pb2 import Problem, TipContact
from exchange.v1.tip_pb2 import Tip
from node.intake.fields import FieldReader, is_nothing, unknown_name
from node.intake.fill_in import fill_in
from node.intake.paths import at
from node.intake.plain_document import DocumentInvalid, Plain, read_document
from node.intake.problems import covers, error, merge, refusal, refuses
from node.intake.value_checks import CONTROLS, check_values

LARGEST: Final = 64 * 1024
"""Bytes of one request: so no field can become larger than the protocol carries."""
CONTACT_LONGEST: Final = 200
"""Characters of one contact detail."""
_KEYS: Final = ("language", "tip", "contact")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TipForm:
    """What was sent, read. It has no repr: personal data must not reach a log by a traceback."""

    tip: Tip = field(repr=False)
    contact: TipContact | None = field(repr=False)
    """None where the request says nothing of it: what is held stays. Empty where it is to be taken back."""
    problems: tuple[Problem, ...]

    @property
    def refused(self) -> bool:
        """Whether something must be mended before this can be saved."""
        return refuses(self.problems)


def read_form(body: bytes, *, organisation: str, today: date) -> TipForm:
    """Read a body; all that is wrong is in `problems`. `organisation` is the NGO's name in this node's plan: no other is taken."""
    try:
        text = body.decode("utf-8")
        document = read_document(text, name="tip.json")
    except UnicodeDecodeError:
        return _nothing(error("DOCUMENT_ENCODING", "", "the text is not UTF-8", "send it as UTF-8"))
    except DocumentInvalid as invalid:
        return _nothing(refusal(invalid, ""))
    if not isinstance(document, dict):
        return _nothing(error("DOCUMENT_MAPPING", "", "the document is not an object", 'send {"tip": {…}}'))
    problems = [unknown_name(_KEYS, key, "") for key in document if key not in _KEYS]
    language = document.get("language")
    if not (is_nothing(language) or (isinstance(language, str) and _LANGUAGE.fullmatch(language))):
        problems.append(error("LANGUAGE_SYNTAX", "language", "not a language tag of BCP 47", "write one such as km or en"))
        language = None
    reader = FieldReader(language=language if isinstance(language, str) else "", today=today)
    given = document.get("tip")
    tip = reader.read(Tip, {} if is_nothing(given) else given, "tip")
    if tip.reporter_organisation not in {"", organisation}:
        remedy = "leave it out: your certificate says who you are"
        problems.append(error("REPORTER_OTHER", "tip.reporter_organisation", "this is not the name under which you are known", remedy))
    tip.reporter_organisation = organisation
    fill_in(tip)
    if isinstance(language, str) and language and not tip.language:
        tip.language = language
    contact_given = "contact" in document
    contact = _contact(document.get("contact"), problems)
    unread = [problem.field for problem in reader.problems]
    wrong = [problem for problem in check_values(tip, "tip") if not any(covers(path, problem.field) for path in unread)]
    return TipForm(tip=tip, contact=contact if contact_given else None, problems=merge(problems, reader.problems, wrong))


def _contact(given: Plain, problems: list[Problem]) -> TipContact:
    contact = TipContact()
    if is_nothing(given):
        return contact
    if not isinstance(given, dict):
        problems.append(error("MAPPING_EXPECTED", "contact", "contact details have parts", "write them by name"))
        return contact
    known = contact.DESCRIPTOR.fields_by_name
    for name, value in given.items():
        where = at("contact", name)
        if name not in known:
            problems.append(unknown_name(known, name, "contact"))
        elif is_nothing(value):
            continue
        elif not isinstance(value, str):
            problems.append(_too_long(where))
        else:
            setattr(contact, name, value.strip())
    wrong = check_contact(contact)
    problems += wrong
    return contact if not wrong else TipContact()


def check_contact(contact: TipContact) -> tuple[Problem, ...]:
    """All that is wrong with contact details."""
    problems = []
    for part, value in contact.ListFields():
        where = at("contact", part.name)
        if len(value) > CONTACT_LONGEST:
            problems.append(_too_long(where))
        elif CONTROLS.search(value):
            problems.append(error("TEXT_CONTROL", where, "the text holds control characters", "type it anew as plain text"))
    return tuple(problems)


def _too_long(where: str) -> Problem:
    return error("TEXT_EXPECTED", where, f"not a text of at most {CONTACT_LONGEST} characters", "write it shortly, as plain text")


def _nothing(problem: Problem) -> TipForm:
    return TipForm(tip=Tip(), contact=None, problems=(problem,))

"""What a desk does with a tip: each deed with the one choice that it asks for, a reason where it is kept, and the operation behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.handling_pb2 import Purpose
from exchange.v1.tip_pb2 import TIP_STATE_ACTED_UPON, TIP_STATE_CLOSED, TIP_STATE_REFERRED, TIP_STATE_UNDER_ASSESSMENT
from node.console.languages import Language
from node.console.words import enum_values, party_words, type_words
from node.operations.tip_contact import open_tip_contact
from node.operations.tip_convert import keep_draft, proposed_for
from node.operations.tip_desk import assess_tip, close_tip, other_desks, refer_tip, safeguard_tip
from node.operations.tip_erase import erase_tip
from node.ports import Ports
from node.tips.safeguards import SAFEGUARDS
from node.tips.states import AFTER

Choices = Sequence[tuple[str, str]]
_ALL, _CONTACT = "all", "contact"
_KINDS: Final = tuple(f"exchange.v1.{name}" for name in ("InformationRequest", "SubjectWarning", "TravelAlert", "Tip"))
"""What a tip can become; the most usual first."""
_WHOLE: Final = "exchange.v1.Tip"
"""Which goes on as it is, whomever it is about."""
_LOOKED_AT: Final = frozenset({TIP_STATE_UNDER_ASSESSMENT, TIP_STATE_ACTED_UPON})


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


_BECOMES: Final = _said("%(kind)s for %(agency)s")
_BECOMES_OF: Final = _said("%(kind)s for %(agency)s, about suspect %(number)s")
_SEVERAL: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Asked:
    """What a person wants done. No repr: the reason is about a case."""

    tip: str
    choice: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One deed, and its page."""

    name: str
    title: str
    hint: str
    legend: str = ""
    """What is to be chosen; empty: nothing."""
    choices: Callable[[Ports, str, str, Language], Choices] = lambda _ports, _person, _tip, _language: ()
    """For a person and a tip; words of this site, or a SPIFFE ID."""
    reason: bool = True
    run: Callable[[Ports, str, Asked], messages.TipContact | str | None]
    """Does it; contact details are what one of them is for, and an address is where to go on."""
    to: int = 0
    """The state that it leads to, which a tip must be able to take; 0: it is done in any."""


def offered(state: int, *, contact_held: bool, erased: bool, proposed: bool) -> list[Deed]:
    """What makes sense for a tip in that state; the operations decide who may."""
    able = AFTER.get(state, frozenset())
    fits = [deed for deed in DEEDS if not deed.to or deed.to in able]
    gone = {"contact"} if not contact_held else set()
    gone |= {"erase"} if erased and not contact_held else set()
    gone |= set() if proposed and state in _LOOKED_AT else {"convert"}
    return [deed for deed in fits if deed.name not in gone]


def _codes(words: Mapping[str, str]) -> Callable[[Ports, str, str, Language], Choices]:
    return lambda _ports, _person, _tip, language: [(code, language.say(said)) for code, said in words.items()]


def _purposes(_ports: Ports, _person: str, _tip: str, language: Language) -> Choices:
    words = enum_values()
    names = [name for name in Purpose.keys() if Purpose.Value(name)]  # noqa: SIM118  an enum wrapper, no mapping
    return [(name.removeprefix("PURPOSE_"), language.say(words[name])) for name in names]


def _desks(ports: Ports, person: str, _tip: str, _language: Language) -> Choices:
    return [(agency, agency) for agency in other_desks(ports, person)]


def _drafts(ports: Ports, person: str, tip: str, language: Language) -> Choices:
    agencies, suspects = proposed_for(ports, person, tip)
    found = []
    for agency in agencies:
        for kind in _KINDS:
            words = {"kind": language.say(type_words(kind)), "agency": party_words(language, agency)}
            if suspects < _SEVERAL or kind == _WHOLE:
                found.append((f"{kind} {agency}", language.say(_BECOMES, **words)))
            else:
                several = ((f"{kind} {agency} {one}", language.number(one + 1)) for one in range(suspects))
                found += [(value, language.say(_BECOMES_OF, **words, number=number)) for value, number in several]
    return found


def _convert(ports: Ports, person: str, asked: Asked) -> str:
    kind, agency, *suspect = asked.choice.split(" ")  # one of `_drafts`
    request = messages.ConvertTipRequest(tip=asked.tip, alert_type=kind, partner=agency, suspect=int(suspect[0]) if suspect else 0)
    return f"/drafts/{keep_draft(ports, person, request).hex()}"


def _acted(ports: Ports, person: str, asked: Asked) -> None:
    assess_tip(ports, person, messages.AssessTipRequest(tip=asked.tip, state=TIP_STATE_ACTED_UPON, reason=asked.reason))


def _refer(ports: Ports, person: str, asked: Asked) -> None:
    refer_tip(ports, person, messages.ReferTipRequest(tip=asked.tip, agency=asked.choice, reason=asked.reason))


def _close(ports: Ports, person: str, asked: Asked) -> None:
    code = messages.TipCloseReason.Value(f"TIP_CLOSE_REASON_{asked.choice}")
    close_tip(ports, person, messages.CloseTipRequest(tip=asked.tip, code=code, reason=asked.reason))


def _safeguard(ports: Ports, person: str, asked: Asked) -> None:
    code = messages.TipSafeguard.Value(f"TIP_SAFEGUARD_{asked.choice}")
    safeguard_tip(ports, person, messages.SafeguardTipRequest(tip=asked.tip, code=code))


def _contact(ports: Ports, person: str, asked: Asked) -> messages.TipContact:
    purpose = Purpose.Value(f"PURPOSE_{asked.choice}")
    return open_tip_contact(ports, person, messages.OpenTipContactRequest(tip=asked.tip, purpose=purpose, reason=asked.reason))


def _erase(ports: Ports, person: str, asked: Asked) -> None:
    erase_tip(ports, person, messages.EraseTipRequest(tip=asked.tip, contact_alone=asked.choice == _CONTACT, reason=asked.reason))


CLOSE_REASONS: Final[Mapping[str, str]] = {
    "DEALT_WITH": _said("Dealt with"),
    "NOT_SUBSTANTIATED": _said("Not substantiated"),
    "DUPLICATE": _said("Told before"),
    "OUT_OF_SCOPE": _said("Not for this desk, nor for another"),
}
"""By the name in `TipCloseReason`."""
DEEDS: Final = (
    Deed(
        name="safeguard",
        title=_said("Ask the organisation for something"),
        hint=_said("It reads this request and the status, and nothing else."),
        legend=_said("What is it to do?"),
        choices=_codes(SAFEGUARDS),
        reason=False,
        run=_safeguard,
    ),
    Deed(
        name="contact",
        title=_said("See how the reporter can be reached"),
        hint=_said("For whoever took the tip, and for liaison officers. Purpose and reason are recorded before you see it."),
        legend=_said("What for?"),
        choices=_purposes,
        run=_contact,
    ),
    Deed(
        name="acted",
        title=_said("It was acted upon here"),
        hint=_said("The organisation reads the state alone."),
        run=_acted,
        to=TIP_STATE_ACTED_UPON,
    ),
    Deed(
        name="convert",
        title=_said("Make a draft for another country"),
        hint=_said(
            "For liaison officers. It becomes a draft with this tip’s thread; nothing is sent until you release it. "
            "What was heard is never a fact to another country."
        ),
        legend=_said("What is it to become, and for whom?"),
        choices=_drafts,
        reason=False,
        run=_convert,
    ),
    Deed(
        name="refer",
        title=_said("Give it to another desk"),
        hint=_said("Your desk sees it no more, and the clock of the other desk begins."),
        legend=_said("To which desk?"),
        choices=_desks,
        run=_refer,
        to=TIP_STATE_REFERRED,
    ),
    Deed(
        name="close",
        title=_said("Close the tip"),
        hint=_said("Closed is closed: what is learned later is another tip."),
        legend=_said("Why is it closed?"),
        choices=_codes(CLOSE_REASONS),
        run=_close,
        to=TIP_STATE_CLOSED,
    ),
    Deed(
        name="erase",
        title=_said("Erase it before its time"),
        hint=_said("It cannot be taken back. That there was a tip, and what became of it, stays."),
        legend=_said("What is to be erased?"),
        choices=_codes({_CONTACT: _said("Only how the reporter can be reached"), _ALL: _said("All that was told")}),
        run=_erase,
    ),
)

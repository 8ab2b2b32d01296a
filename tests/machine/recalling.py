"""What an originator says of an alert afterwards: update, correct, withdraw, restrict, lift."""

from collections.abc import Mapping
from typing import ClassVar

from exchange.encoding import encode
from exchange.v1 import control_pb2, desk_service_pb2
from node.operations import replace
from tests.countries import DAY, POLICE, TRAVEL, agency
from tests.machine.books import Fact, Going, Kind, place_of
from tests.machine.telling import Telling
from tests.machine.transitions import transition
from tests.recalls import LIFTING, RESTRICTION, WITHDRAWAL, codes, recalled, request_id, together

_KINDS = {WITHDRAWAL: Kind.WITHDRAWAL, RESTRICTION: Kind.RESTRICTION, LIFTING: Kind.LIFTING}


class Recalling(Telling):
    """Rules of recalls."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "withdraw: released",
            "withdraw: several manifests of one alert",
            "withdraw: refused ALERT_WITHDRAWN",
            "withdraw: waits for a log",
            "restrict: released",
            "restrict: refused ALERT_RESTRICTED",
            "restrict: refused ALERT_WITHDRAWN",
            "lift: released",
            "lift: in doubt as before",
            "lift: refused ALERT_NOT_RESTRICTED",
            "lift: refused ALERT_WITHDRAWN",
            "update: released",
            "update: refused ALERT_WITHDRAWN",
            "update: out of date for whom no clause admits",
            "correct: released",
            "correct: refused ALERT_WITHDRAWN",
            "correct: disputed for whom no clause admits",
            "correct: nobody is admitted",
            "correct: refused NOTHING_CHANGED",
        }
    )

    @transition(
        weight=6,
        when=lambda self: bool(self.manifests()),
        which=range(5),
        kind=[WITHDRAWAL, RESTRICTION, LIFTING, LIFTING],
    )
    def recall(self, which: int, kind: int) -> None:
        """An officer withdraws, restricts or lifts a restriction."""
        self.recall_this(*self.pick(self.manifests(), which), kind)

    def recall_this(self, country: str, digest: bytes, kind: int) -> None:
        """One recall of one alert."""
        books, verb = self.books(country), {WITHDRAWAL: "withdraw", RESTRICTION: "restrict", LIFTING: "lift"}[kind]
        line = books.line(digest, self.facts)
        concerned = [one for one in line if not self._not_recallable(country, one, kind) and books.audience([one])]
        answer = recalled(self.office(country), digest, kind)
        if code := self._not_recallable(country, line[-1], kind):
            assert [codes(control) for control in answer.controls] == [{code}]
            self.happened(f"{verb}: refused {code}")
            return
        assert [codes(control) for control in answer.controls] == [set()] * len(concerned), f"{verb} of {len(concerned)} manifests"
        for control, about in zip(answer.controls, concerned, strict=True):
            self.control(country, control.manifest_digest, _KINDS[kind], about, self.told(country, about))
        self.happened(f"{verb}: released")
        if kind == LIFTING and any(books.in_doubt(about) for about in concerned):
            self.happened("lift: in doubt as before")
        if kind == WITHDRAWAL and len(concerned) > 1:
            self.happened("withdraw: several manifests of one alert")
        if kind == WITHDRAWAL and answer.waiting:
            self.happened("withdraw: waits for a log")

    def _not_recallable(self, country: str, digest: bytes, kind: int) -> str:
        state = self.books(country).standing(digest, self.facts)
        if state == "withdrawn":
            return "ALERT_WITHDRAWN"
        if kind == RESTRICTION and state == "restricted":
            return "ALERT_RESTRICTED"
        return "ALERT_NOT_RESTRICTED" if kind == LIFTING and state != "restricted" else ""

    def told(self, country: str, about: bytes) -> dict[str, frozenset[str]]:
        """Everybody who was told of a manifest, by country."""
        found: dict[str, frozenset[str]] = {}
        for partner, _, entry in self.books(country).tellings(about):
            found[partner] = found.get(partner, frozenset()) | entry.audience
        return found

    def control(
        self, country: str, digest: bytes, kind: Kind, about: bytes, to: dict[str, frozenset[str]], *, outdated: bool = False
    ) -> None:
        """Enter a control alert into the oracle's books."""
        fact = Fact(digest=digest, kind=kind, country=country, agency=agency(country, POLICE), about=about, outdated=outdated)
        self.oracle.recall(country, fact, to)

    @transition(
        weight=4,
        when=lambda self: bool(self.manifests()),
        which=range(5),
        correcting=(False, True),
        more=[0, 0, 0, 1, 2, 4],
    )
    def replace(self, *, which: int, correcting: bool, more: int) -> None:
        """An officer puts another manifest in an alert's place, perhaps to somebody new."""
        self.replace_this(*self.pick(self.manifests(), which), correcting=correcting, more=more)

    def replace_this(self, country: str, digest: bytes, *, correcting: bool, more: int) -> None:
        """One replacement of one alert."""
        books, verb = self.books(country), "correct" if correcting else "update"
        line = books.line(digest, self.facts)
        agencies = books.audience(line)
        grants = self._granted(country, line)
        extra = [party for place, party in enumerate(self.parties_abroad(country)) if more >> place & 1 and party not in agencies]
        wanted = self.drafted(extra, alert=encode(self.other_alert()), request_id=request_id(), not_after=self.now() + 10 * DAY)
        asked = desk_service_pb2.ReplaceAlertRequest(
            alert=digest.hex(),
            draft=wanted,
            correction_reason=control_pb2.CORRECTION_REASON_FACTUAL_ERROR if correcting else 0,
            reason="synthetic reason",
        )
        office = self.office(country)
        answer = replace.replace_alert(office.ports, office.person("liaison"), asked, together(office))
        if any(one.kind is Kind.WITHDRAWAL for about in line for one in books.said_of(about)):
            assert codes(answer.replacement) == {"ALERT_WITHDRAWN"}
            self.happened(f"{verb}: refused ALERT_WITHDRAWN")
            return
        going = {party: books.planned(party, self.now(), granted=grants.get(party, ())) for party in sorted(agencies)}
        admitted = {party: one for party, one in going.items() if isinstance(one, Going) and not books.out[self.country_of(party)].stopped}
        left = agencies - admitted.keys()
        if correcting and not admitted and not extra and not self._uncorrected(country, line):
            assert codes(answer.replacement) == {"NOTHING_CHANGED"}
            self.happened("correct: refused NOTHING_CHANGED")
            return
        assert set(answer.not_admitted) == left, f"{verb}: {sorted(answer.not_admitted)} not admitted, expected {sorted(left)}; {answer}"
        first = {**admitted, **{party: books.planned(party, self.now()) for party in extra}}
        if refusals := {one for one in first.values() if isinstance(one, str)}:
            assert codes(answer.replacement) == refusals
            return
        if any(books.out[self.country_of(party)].stopped for party in extra):
            assert codes(answer.replacement) == {"LOG_STOPPED"}
            return
        self._note_replacement(country, answer, line, first, left, correcting=correcting, wanted=wanted)
        self.happened(f"{verb}: released")

    def _note_replacement(
        self,
        country: str,
        answer: desk_service_pb2.ReplaceAlertResponse,
        line: list[bytes],
        first: Mapping[str, Going | str],
        left: set[str],
        *,
        correcting: bool,
        wanted: desk_service_pb2.Draft,
    ) -> None:
        if correcting:
            notices = {about: self.told(country, about) for about in self._uncorrected(country, line)}
        else:
            notices = {about: self.outdated(country, about, left) for about in line}
        notices = {about: to for about, to in notices.items() if to}
        assert bool(first) == answer.HasField("replacement"), "somebody is admitted, or nobody"
        if first:
            assert not codes(answer.replacement), f"a replacement is refused: {sorted(codes(answer.replacement))}"
            wanted.supersedes[:] = line
            going = {party: one for party, one in first.items() if isinstance(one, Going)}
            self.note_release(country, wanted, going, answer.replacement)
        if not first and not notices:
            return
        assert len(answer.corrections) == len(notices)
        for notice, (about, to) in zip(answer.corrections, notices.items(), strict=True):
            assert not codes(notice)
            self.control(country, notice.manifest_digest, Kind.CORRECTION, about, to, outdated=not correcting)
        if correcting and not first:
            self.happened("correct: nobody is admitted")
        if notices and left:
            self.happened("correct: disputed for whom no clause admits" if correcting else "update: out of date for whom no clause admits")

    def _uncorrected(self, country: str, line: list[bytes]) -> list[bytes]:
        """Those of which nobody was told yet that something was wrong in them."""
        books = self.books(country)
        before = {one.about for one in books.recalls if one.kind is Kind.CORRECTION and not self.facts[one.control].outdated}
        return [about for about in line if about not in before]

    def outdated(self, country: str, about: bytes, left: set[str]) -> dict[str, frozenset[str]]:
        """Who learns after an update that a manifest is out of date, by country: those in `left`, whom no clause admits any more."""
        return {partner: some for partner, agencies in self.told(country, about).items() if (some := agencies & left)}

    def _granted(self, country: str, line: list[bytes]) -> dict[str, set[int]]:
        """What each agency was given on request: it stays given."""
        books, found = self.books(country), dict[str, set[int]]()
        treaties = {treaty.digest: treaty for treaty in books.treaties}
        for about in line:
            for _, _, entry in books.tellings(about):
                treaty = treaties.get(entry.agreement)
                for party in entry.audience if entry.ground and treaty else ():
                    marks = treaty.marks(TRAVEL, place_of(party)[1]) if treaty else {}
                    found.setdefault(party, set()).update(entry.fields & marks.get("C", frozenset()))
        return found

"""Who may release: approvals by a second officer, and assessments that a policy asks for."""

from typing import ClassVar

from exchange.errors import Conflict, Refused
from exchange.v1 import desk_service_pb2
from exchange.v1.assessment_pb2 import TransferAssessment
from node.operations import approve, assess
from node.operations.approved import Together
from node.operations.officers import NotPermitted
from node.operations.sequence import sequence
from node.policy.pack import read_pack
from tests.countries import BORDER, DAY, agency, domain
from tests.machine.books import GATED, Going, Submission, place_of
from tests.machine.telling import Telling
from tests.machine.transitions import transition
from tests.refusals import refused

_PACK = b"""
policy = "xx-transfers"
version = 1
country = "GB"
issued_by = "Example authority"
valid_from = 2020-01-01T00:00:00Z
valid_until = 2100-01-01T00:00:00Z

[countries]
"kh.alerts.example" = "KH"
"vn.alerts.example" = "VN"

[[rules]]
id = "assessment"
law = "Example Act, s. 1"
classes = ["NGO"]
alert_types = ["TravelAlert"]
needs = ["ASSESSMENT"]
"""


class Deciding(Telling):
    """Rules of approvals and assessments."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "submit: waits",
            "submit: refused",
            "submit: refused APPROVAL_NOT_ASKED",
            "approve: released",
            "approve: refused APPROVER_IS_AUTHOR",
            "approve: refused SUBMISSION_CLOSED",
            "approve: void, since something else would go now",
            "approve: approved, and refused at release",
            "take back: done",
            "take back: refused SUBMISSION_CLOSED",
            "assess: recorded",
            "assess: withdrawn",
        }
    )

    def __init__(self) -> None:
        super().__init__()
        gated = self.office(GATED)
        gated.policy = read_pack(_PACK)
        gated.restart()

    @transition(weight=4, sender=range(3), towards=range(2), also=range(6))
    def submit(self, sender: int, towards: int, also: int) -> None:
        """A draft to a border agency, and perhaps to another, waits for a second officer."""
        country = self.country(sender)
        others = [name for name in self.NAMES if name != country]
        parties = self.parties_abroad(country)
        to = sorted({agency(others[towards % len(others)], BORDER), *parties[also : also + 1]})
        wanted = self.drafted(to)
        office, going = self.office(country), self.planned(country, wanted, approvals=1_000)
        request = desk_service_pb2.SubmitAlertRequest(draft=wanted, reason="synthetic reason")
        needed = [one for one in going.values() if isinstance(one, Going) and one.treaty.approvals("exchange.v1.TravelAlert", _class(one))]
        if refusals := {one for one in going.values() if isinstance(one, str)}:
            answer = approve.submit(office.ports, office.person("liaison"), request, self._releasing(country))
            assert {problem.code for problem in answer.problems} == refusals
            self.happened("submit: refused")
            return
        if not needed:
            with refused(Refused, "APPROVAL_NOT_ASKED"):
                approve.submit(office.ports, office.person("liaison"), request, self._releasing(country))
            self.happened("submit: refused APPROVAL_NOT_ASKED")
            return
        answer = approve.submit(office.ports, office.person("liaison"), request, self._releasing(country))
        assert not answer.problems
        self.books(country).submissions[wanted.request_id] = Submission(
            author="liaison",
            plan=_plan(going),
            state="waiting",
            at=self.now(),
            document=(wanted.SerializeToString(), answer.submission.preview_digest),
        )
        self.happened("submit: waits")

    @transition(
        weight=5,
        when=lambda self: bool(self._submissions()),
        which=range(5),
        by=["second", "second", "second", "liaison"],
    )
    def approve(self, which: int, by: str) -> None:
        """An officer approves what was previewed."""
        country, identifier = self.pick(self._submissions(), which)
        row, office = self.books(country).submissions[identifier], self.office(country)
        serialized, previewed = row.document
        wanted = desk_service_pb2.Draft.FromString(serialized)
        request = desk_service_pb2.ApproveSubmissionRequest(submission=identifier.hex(), preview_digest=previewed)
        released: list[desk_service_pb2.PublishedAlert] = []

        def act() -> None:
            answer = approve.approve(office.ports, office.person(by), request, self._releasing(country))
            released.append(answer.published)

        if by == row.author:
            with refused(NotPermitted, "APPROVER_IS_AUTHOR"):
                act()
            self.happened("approve: refused APPROVER_IS_AUTHOR")
            return
        if row.state in {"released", "void", "taken back"}:
            self._closed(row, act)
            return
        going = self.planned(country, wanted, approvals=1_000)
        if row.state == "waiting" and _plan(going) != row.plan:
            with refused(Conflict, "PREVIEW_CHANGED"):
                act()
            row.state = "void"
            self.happened("approve: void, since something else would go now")
            return
        act()
        row.state = "approved"
        if self.released(country, wanted, self.planned(country, wanted, approvals=1), released[0]):
            row.state = "released"
            self.happened("approve: released")
        else:
            self.happened("approve: approved, and refused at release")

    def _closed(self, row: Submission, act: object) -> None:
        assert callable(act)
        if row.state == "released":
            act()  # the same again changes nothing
            return
        with refused(Refused, "SUBMISSION_CLOSED"):
            act()
        self.happened("approve: refused SUBMISSION_CLOSED")

    @transition(weight=2, when=lambda self: bool(self._submissions()), which=range(5))
    def take_back(self, which: int) -> None:
        """Its author ends a submission."""
        country, identifier = self.pick(self._submissions(), which)
        row, office = self.books(country).submissions[identifier], self.office(country)
        if row.state in {"waiting", "approved"}:
            approve.take_back(office.ports, office.person("liaison"), identifier.hex())
            row.state = "taken back"
            self.happened("take back: done")
            return
        with refused(Refused, "SUBMISSION_CLOSED"):
            approve.take_back(office.ports, office.person("liaison"), identifier.hex())
        self.happened("take back: refused SUBMISSION_CLOSED")

    @transition(weight=2, destination=range(2), days=[2, 2, 30])
    def assess(self, destination: int, days: int) -> None:
        """The gated country weighs a transfer."""
        office = self.office(GATED)
        others = [name for name in self.NAMES if name != GATED]
        country = others[destination % len(others)]
        self.clock.pass_(1)
        offered = TransferAssessment(
            destination=domain(country),
            necessity="synthetic: they must know",
            proportionality="synthetic: no more than that",
            review_by=self.now() + days * DAY,
        )
        recorded = assess.record_assessment(office.ports, office.person("liaison"), offered)
        self.books(GATED).assessments[recorded.digest] = (country, self.now() + days * DAY)
        self.happened("assess: recorded")

    @transition(weight=1, when=lambda self: bool(self.books(GATED).assessments), which=range(5))
    def withdraw_assessment(self, which: int) -> None:
        """An assessment is taken back."""
        digest = self.pick(list(self.books(GATED).assessments), which)
        office = self.office(GATED)
        assess.withdraw(office.ports, office.person("liaison"), digest.hex())
        del self.books(GATED).assessments[digest]
        self.happened("assess: withdrawn")

    def due_besides(self, country: str) -> int:
        """What waited thirty days, approved or not."""
        late = [
            row
            for row in self.books(country).submissions.values()
            if row.state in {"waiting", "approved"} and row.at + 30 * DAY <= self.now()
        ]
        for row in late:
            row.state = "lapsed"
        return super().due_besides(country) + len(late)

    def _submissions(self) -> list[tuple[str, bytes]]:
        """Those of the last days: an alert must not have expired while it waited."""
        return [
            (country, identifier)
            for country in self.NAMES
            for identifier, row in self.books(country).submissions.items()
            if self.now() < row.at + 9 * DAY
        ]

    def _releasing(self, country: str) -> Together:
        return lambda items: sequence(self.office(country).ports, list(items))


def _class(going: Going) -> int:
    return place_of(going.party)[1]


def _plan(going: object) -> object:
    """What a preview's digest covers: to whom, under which agreement, which fields."""
    assert isinstance(going, dict)
    return sorted((party, one.treaty.digest, sorted(one.fields)) for party, one in going.items() if isinstance(one, Going))

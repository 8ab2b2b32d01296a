"""What was passed on can be proved to a stranger: by the holder and by the third country, with the originator's permit and descriptors."""

from collections.abc import Iterator

import pytest

from exchange.errors import Unverified
from exchange.evidence import VerifiedEvidence
from exchange.v1 import desk_service_pb2, evidence_pb2
from node.operations import evidence, evidence_bundle
from node.operations.officers import NotPermitted
from tests.countries import changed, pins
from tests.federation import Federation
from tests.onward import KH_BORDER, permitted, released, settle, three
from tests.recalls import recalled, shown
from tests.refusals import refused
from tests.rig import Office, draft
from tests.second_opinion import BOTH

pytestmark = pytest.mark.thorough

DATA, CONTENTLESS = evidence_pb2.EVIDENCE_LEVEL_DATA, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
ORIGIN = "kh.alerts.example/disclosures/vn.alerts.example/1"
PINS = pins("gb", "kh", "vn")


@pytest.fixture(scope="module")
def told(federated: Federation) -> bytes:
    return federated["gb"].publish(draft(KH_BORDER)).manifest_digest


@pytest.fixture(scope="module")
def federated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    made = three(tmp_path_factory.mktemp("offices"))
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def view(federated: Federation, told: bytes) -> bytes:
    """What vn's border was shown; then it was withdrawn, and the recall forwarded."""
    settle(federated)
    assert not released(federated["kh"], permitted(federated, told)).released.problems
    settle(federated)
    seen = shown(federated["vn"], told).view
    recalled(federated["gb"], told)
    settle(federated)
    return seen


def export(office: Office, name: str, index: int, level: int) -> bytes:
    return evidence.export_evidence(office.ports, office.person(name), ORIGIN, index, level)


def verified(data: bytes) -> VerifiedEvidence:
    """By the treaty's verifier and the second one, which agree."""
    proved = BOTH["verify_evidence"](data, PINS)
    assert isinstance(proved, VerifiedEvidence)
    return proved


def test_the_holder_and_the_third_country_prove_what_was_passed_on(federated: Federation, view: bytes) -> None:
    for country, name in (("kh", "both"), ("vn", "border")):
        assert verified(export(federated[country], name, 0, DATA)).view == view
        assert verified(export(federated[country], name, 0, CONTENTLESS)).view == b""


def test_a_forwarded_recall_is_proved_likewise(federated: Federation) -> None:
    for country, name in (("kh", "both"), ("vn", "border")):
        assert verified(export(federated[country], name, 1, DATA)).view


def test_without_the_permit_or_the_originators_descriptors_it_proves_nothing(federated: Federation) -> None:
    file = evidence_pb2.EvidenceFile.FromString(export(federated["kh"], "both", 0, DATA))
    for change, code in (({"permit": None}, "EVIDENCE_PERMIT"), ({"originator_descriptors": None}, "EVIDENCE_MANIFEST")):
        with refused(Unverified, code):
            verified(changed(file, **change).SerializeToString(deterministic=True))


def test_another_agency_of_the_holder_has_nothing_to_prove(federated: Federation) -> None:
    with refused(NotPermitted, "EVIDENCE_NOT_YOURS"):
        export(federated["kh"], "liaison", 0, DATA)
    with refused(NotPermitted, "EVIDENCE_NOT_YOURS"):
        export(federated["kh"], "auditor", 0, DATA)
    assert verified(export(federated["kh"], "auditor", 0, CONTENTLESS)).index == 0


def test_a_bundle_holds_permit_and_descriptors_once(federated: Federation, told: bytes) -> None:
    kh = federated["kh"]
    request = desk_service_pb2.ExportBundleRequest(partner="vn.alerts.example", content=True)
    exported = evidence_bundle.export_bundle(kh.ports, kh.person("both"), request)
    assert (exported.disclosures, list(exported.left_out)) == (2, [])
    assert BOTH["verify_bundle"](exported.data, PINS)
    assert told

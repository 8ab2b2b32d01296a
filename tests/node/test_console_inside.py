"""An agency that a desk of its own country told: it confirms its purge in the console, and the desk may then attest abroad."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console_site import Browser
from tests.countries import BORDER, agency
from tests.federation import Federation, federation
from tests.inside import distributed, national, told
from tests.recalls import recalled
from tests.rig import Office


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        national(made["kh"])
        yield made


@pytest.fixture
def withdrawn(two: Federation, kh: Office) -> str:
    """What gb told kh's police, which told the border agency, and then took back."""
    digest = told(two)
    assert not distributed(kh, digest, agency("kh", BORDER)).problems
    recalled(two["gb"], digest)
    two.pump()
    return digest.hex()


def test_a_purge_is_confirmed_on_the_page_and_the_desk_may_attest(kh: Office, withdrawn: str) -> None:
    border, desk = Browser(kh).enter("border"), Browser(kh).enter("police")
    path = f"/inbox/{withdrawn}/confirm-purge"
    assert f'href="{path}"' in border.get(f"/inbox/{withdrawn}").text
    assert f'href="{path}"' in border.get("/work").text
    assert f'action="{path}"' in border.get(path).text
    attested = {"copies": "1", "lists_updated": "yes"}
    assert desk.send(f"/inbox/{withdrawn}/attest", attested).status_code == 422
    wrong = border.send(path, {"copies": "a few"})
    assert (wrong.status_code, 'href="#copies"' in wrong.text) == (422, True)
    undone = border.send(path, {"copies": "2"})
    assert (undone.status_code, "Say that no local list holds it any more" in undone.text) == (422, True)
    done = border.send(path, {"copies": "2", "lists_updated": "yes"})
    assert (done.status_code, done.headers["location"]) == (303, f"/inbox/{withdrawn}?confirmed")
    assert "Your desk learns that it is purged here." in border.get(f"/inbox/{withdrawn}?confirmed").text
    assert f'href="{path}"' not in border.get("/work").text
    assert desk.send(f"/inbox/{withdrawn}/attest", attested).status_code == 303
    again = border.send(path, {"copies": "2", "lists_updated": "yes"})
    assert (again.status_code, "owes its desk no confirmation" in again.text) == (422, True)


def test_a_desk_that_was_told_from_abroad_confirms_to_nobody(kh: Office, withdrawn: str) -> None:
    desk = Browser(kh).enter("police")
    assert "confirm-purge" not in desk.get(f"/inbox/{withdrawn}").text + desk.get("/work").text
    refused = desk.send(f"/inbox/{withdrawn}/confirm-purge", {"copies": "0", "lists_updated": "yes"})
    assert refused.status_code == 422


def test_what_an_agency_reported_to_its_desk_is_shown_to_it(two: Federation, kh: Office) -> None:
    digest = told(two)
    assert not distributed(kh, digest, agency("kh", BORDER)).problems
    border = Browser(kh).enter("border")
    path = f"/inbox/{digest.hex()}"
    assert border.send(f"{path}/report", {"outcome": "REFUSED_ENTRY", "remarks": "Sent back."}).status_code == 303
    page = border.get(path).text
    assert "What your agency reported" in page
    assert "Sent back." in page
    assert "Sent back." not in Browser(kh).enter("police").get(path).text
    assert border.send(f"{path}/report", {"outcome": "ADMITTED"}).status_code == 422

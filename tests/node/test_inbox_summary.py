"""A line of an inbox tells its agency no more than the alert itself does."""

from pathlib import Path

from tests.countries import BORDER, NGO, agency
from tests.federation import federation
from tests.rig import draft


def test_an_agency_that_was_not_told_the_journey_reads_no_arrival(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh")
        two["gb"].publish(draft(agency("kh", BORDER), agency("kh", NGO)))
        two.pump()
        (border,), (ngo,) = (two["kh"].received(name) for name in ("border", "ngo"))
        assert border.arrives_at
        assert ngo.manifest_digest == border.manifest_digest
        assert ngo.arrives_at == 0

"""What stands in the addresses of an administrator's pages."""

from hashlib import sha256

from tests.rig import Office


def address_of(officer: str) -> str:
    """How the pages name an officer."""
    return sha256(officer.encode()).hexdigest()


def admin_places(office: Office) -> dict[str, str]:
    """A value for each place: a partner, an agreement with it, a type of alert, an officer."""
    return {
        "{partner}": next(iter(office.ports.known.partners)),
        "{agreement}": next(iter(office.ports.known.agreements)).hex(),
        "{type}": "TravelAlert",
        "{officer}": address_of(office.person("police")),
    }

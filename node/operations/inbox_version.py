"""Whether something has come: a version of an inbox that changes with each alert that comes for the agency, and says nothing else."""

from hashlib import sha256

from node.operations.inbox import DESK
from node.operations.officers import agency_of, require
from node.ports import Ports
from node.store.alerts import newest_told


def inbox_version(ports: Ports, person: str) -> str:
    """The version of the inbox of the caller's agency. Nothing of it is shown, so this is no consultation. Raises `NotPermitted`."""
    agency = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        newest = newest_told(tx, agency)
    return sha256(f"{agency} {newest}".encode()).hexdigest()[:16]

"""Who the caller is to this node."""

from exchange.v1 import desk_service_pb2
from node.config_values import ROLES
from node.operations.officers import require
from node.ports import Ports


def whoami(ports: Ports, person: str) -> desk_service_pb2.WhoAmIResponse:
    """The caller's roles and agency, as the roster has them."""
    officer = require(ports, person, ROLES)
    return desk_service_pb2.WhoAmIResponse(
        party=person,
        roles=[desk_service_pb2.Role.Value(f"ROLE_{role.upper().replace(' ', '_')}") for role in officer.roles],
        agency=str(officer.agency) if officer.agency else "",
        trust_domain=ports.trust_domain,
        training=ports.training,
    )

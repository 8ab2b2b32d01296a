"""Who may come into the console, with what, and who is there now: for administrators."""

from exchange.v1 import desk_service_pb2 as messages
from node.operations.officers import ADMINISTRATOR, require
from node.operations.sessions import IDLE_MS, WHOLE_MS
from node.ports import Ports
from node.store import identities, sign_ins


def list_officers(ports: Ports, person: str) -> messages.ListOfficersResponse:
    """Everybody of the roster, by name, and whoever left it and still has a passkey or is linked. Raises `NotPermitted` (ROLE_MISSING)."""
    require(ports, person, (ADMINISTRATOR,))
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        passkeys = sign_ins.count_passkeys(tx)
        codes = sign_ins.open_enrolments(tx, now)
        subjects = identities.subjects_of(tx, ports.issuer)
        there = sign_ins.sessions_since(tx, now - WHOLE_MS, now - IDLE_MS)
    return messages.ListOfficersResponse(
        officers=[
            _summary(ports, officer, passkeys.get(officer, 0), codes.get(officer, 0), there.get(officer, (0, 0)), subjects.get(officer, ""))
            for officer in sorted(ports.officers.keys() | passkeys.keys() | subjects.keys())
        ]
    )


def _summary(ports: Ports, officer: str, passkeys: int, code: int, there: tuple[int, int], subject: str) -> messages.OfficerSummary:
    entry = ports.officers.get(officer)
    sessions, seen_at = there
    return messages.OfficerSummary(
        officer=officer,
        roles=[messages.Role.Value(f"ROLE_{role.upper().replace(' ', '_')}") for role in (entry.roles if entry else ())],
        agency=str(entry.agency) if entry and entry.agency else "",
        listed=entry is not None,
        passkeys=passkeys,
        code_expires_at=code,
        sessions=sessions,
        seen_at=seen_at,
        subject=subject,
    )

"""Write the vectors of our own protocol, for a second implementation to be checked against: `python -m tests.vectors.make_own`.

All bytes are in hex. `test_own_vectors.py` compares the files with what this code makes, so a change of the protocol shows as a diff.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from exchange.disclosure import commit_authorisation
from exchange.encoding import encode
from exchange.manifest import Committer
from exchange.profile import alert_types, profile_text
from exchange.signing import key_id_of, statement_digest
from exchange.tlog.merkle import leaf_hash
from exchange.v1 import receipt_pb2, statement_pb2
from tests.builders import alert, checkpoint, note, receipt, world
from tests.countries import agreement, countersigned, key, node

OWN = Path(__file__).parent / "own"


def vectors() -> dict[str, object]:
    """Each file's name, without its suffix, and what it holds."""
    return {
        "profiles": _profiles(),
        "slots": _slots(),
        "statements": _statements(),
        "log": _log(),
        "receipt": _receipt(),
        "evidence": _evidence(),
    }


def text_of(content: object) -> str:
    """The content of a file."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _profiles() -> dict[str, object]:
    return {
        name: {
            "digest": kind.digest.hex(),
            "text": profile_text(kind.message.DESCRIPTOR).splitlines(),  # type: ignore[arg-type]  # the stubs name two implementations
        }
        for name, kind in alert_types().items()
    }


def _slots() -> dict[str, object]:
    """The alert whole, each field's fragment, salt and commitment; then a commitment to an authorisation record."""
    sealed = world().sealed
    commit = Committer(sealed.manifest.alert_id, sealed.manifest.profile)
    salt, record = hashlib.sha256(b"salt").digest(), b"synthetic record"
    return {
        "alert": encode(alert()).hex(),
        "alert_id": sealed.manifest.alert_id.hex(),
        "profile": sealed.manifest.profile.hex(),
        "slots": [
            {
                "field": opening.field,
                "salt": opening.salt.hex(),
                "fragment": opening.fragment.hex(),
                "slot": commit.slot(opening.field, opening.salt, opening.fragment).hex(),
            }
            for opening in sealed.openings.values()
        ],
        "authorisation": {"salt": salt.hex(), "record": record.hex(), "commitment": commit_authorisation(salt, record).hex()},
    }


def _statements() -> dict[str, object]:
    (described,) = node("gb").chain
    return {
        "manifest": _statement(world().sealed.statement, {"gb/nca-ceop": key("gb", "nca-ceop").spki}),
        "agreement": _statement(
            countersigned(agreement()), {f"{country}/agreement": key(country, "agreement").spki for country in ("gb", "kh")}
        ),
        "descriptor": _statement(described, {"gb/identity": key("gb", "identity").spki}),
    }


def _statement(statement: statement_pb2.Statement, keys: Mapping[str, bytes]) -> dict[str, object]:
    return {
        "type": statement.type,
        "payload": statement.payload.hex(),
        "digest": statement_digest(statement).hex(),
        "keys": {name: {"spki": spki.hex(), "key_id": key_id_of(spki).hex()} for name, spki in keys.items()},
        "signatures": [{"key_id": s.key_id.hex(), "signature": s.signature.hex()} for s in statement.signatures],
        "statement": encode(statement).hex(),
    }


def _log() -> dict[str, object]:
    entries = world().entries
    return {
        "entries": [{"entry": entry.hex(), "leaf": leaf_hash(entry).hex()} for entry in entries],
        "root": checkpoint(entries).root.hex(),
        "log_key": key("gb", "log").spki.hex(),
        "checkpoint": note(entries).decode(),
    }


def _receipt() -> dict[str, object]:
    statement = receipt(world().entries, exceptions=[(1, receipt_pb2.EXCEPTION_CODE_EXPIRED)])
    return {
        "checkpoint_text": checkpoint(world().entries).text().decode(),
        "exceptions": [{"index": 1, "code": receipt_pb2.EXCEPTION_CODE_EXPIRED}],
        **_statement(statement, {"kh/receipt": key("kh", "receipt").spki}),
    }


def _evidence() -> dict[str, object]:
    good = world()
    return {
        "pins": {name: pin.hex() for name, pin in good.pins.items()},
        "file": good.evidence.hex(),
        "index": good.index,
        "fields": list(good.entry.fields),
        "view": b"".join(good.sealed.openings[number].fragment for number in good.entry.fields).hex(),
    }


if __name__ == "__main__":
    OWN.mkdir(exist_ok=True)
    for stem, content in vectors().items():
        (OWN / f"{stem}.json").write_text(text_of(content), encoding="utf-8")

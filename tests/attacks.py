"""How the suite of attacks is written: each test's body attacks, and its `@attack` says by which layer and under which code it must fail.

The attacker is as strong as can be: he is a partner in good standing, or has its keys, and signs again wherever he holds a key.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec

import pytest

from exchange.disclosure import Disclosure, open_delivery
from exchange.encoding import cut, encode
from exchange.errors import ExchangeError
from exchange.log import extend, frontier_of
from exchange.manifest import Committer, Sealed
from exchange.profile import alert_type
from exchange.recipient import Holdings, Recipient
from exchange.signing import Signer, sign_statement, statement_digest
from exchange.v1 import disclosure_pb2, manifest_pb2, statement_pb2
from tests.builders import Memory, batch, recipient, rename_manifest, sealed, world
from tests.countries import POLICE, TRAVEL, agency_name, changed, key

P = ParamSpec("P")

GB_POLICE_KEY = key("gb", agency_name("gb", POLICE))


def attack(layer: str, code: str, *, because: str = "") -> Callable[[Callable[P, object]], Callable[P, None]]:
    """The test's body is an attack on `layer`, to be refused with `code`; where a code has many causes, `because` is the cause's own."""
    assert layer

    def decorate(body: Callable[P, object]) -> Callable[P, None]:
        @wraps(body)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            with pytest.raises(ExchangeError) as refusal:
                body(*args, **kwargs)
            cause = getattr(refusal.value.__cause__, "code", str(refusal.value).rpartition(": ")[2])
            assert refusal.value.code == code, f"refused as {refusal.value.code}, not {code}: {refusal.value}"
            assert not because or cause == because, f"refused because of {cause}, not of {because}"

        return run

    return decorate


def deliver(delivered: disclosure_pb2.Delivery, to: Recipient | None = None, holdings: Holdings | None = None) -> Disclosure:
    """Log what gb forged, sign the checkpoint, send it: kh runs S1 to S4 and D1 to D11."""
    to = to or recipient()
    before = world().entries[:2]
    extend(world().log, frontier_of(before), batch([delivered], before), world().gb, to.trust_domain, to.now)
    return open_delivery(delivered, to, holdings or Memory())


def with_manifest(payload: bytes, signer: Signer = GB_POLICE_KEY) -> disclosure_pb2.Delivery:
    """The good delivery with another manifest, correctly signed, which its entry names."""
    return rename_manifest(world().delivery, sign_statement("manifest", payload, [signer]))


def with_statement(statement: statement_pb2.Statement) -> disclosure_pb2.Delivery:
    """The good delivery with another manifest statement, which its entry names."""
    return rename_manifest(world().delivery, statement)


def with_entry(entry: disclosure_pb2.Entry) -> disclosure_pb2.Delivery:
    """The good delivery under another entry, whatever its form; it opens what the entry names."""
    opened = [
        manifest_pb2.Opening(field=o.field, salt=o.salt, fragment=o.fragment)
        for o in (world().sealed.openings.get(number) for number in entry.fields)
        if o is not None
    ]
    return changed(world().delivery, entry=encode(entry), openings=opened)


def committed(fragments: Mapping[int, bytes], salts: Mapping[int, bytes] | None = None) -> Sealed:
    """The good alert with other fragments and salts, to which a hostile originator correctly commits."""
    kind, good = alert_type(TRAVEL), sealed()
    commit = Committer(good.manifest.alert_id, kind.digest)
    chosen = {
        number: manifest_pb2.Opening(field=number, salt=(salts or {}).get(number, o.salt), fragment=fragments.get(number, o.fragment))
        for number, o in good.openings.items()
    }
    manifest = changed(good.manifest, slots=[commit.slot(o.field, o.salt, o.fragment) for o in chosen.values()])
    statement = sign_statement("manifest", encode(manifest), [GB_POLICE_KEY])
    opened = encode(disclosure_pb2.Delivery(openings=chosen.values()))
    return Sealed(statement=statement, digest=statement_digest(statement), manifest=manifest, opened=opened)


# Encodings that say the same, or more, in other bytes.


def with_unknown_field(encoding: bytes) -> bytes:
    """Field 2000, which no message has, at the end."""
    return encoding + varint(2000 << 3) + b"\x01"


def with_duplicate(encoding: bytes) -> bytes:
    """The first field twice: no message begins with a repeated one."""
    return next(iter(cut(encoding).values())) + encoding


def reordered(encoding: bytes) -> bytes:
    """The first field last."""
    first, *rest = cut(encoding).values()
    return b"".join([*rest, first])


def overlong(encoding: bytes) -> bytes:
    """The first tag in one byte too many."""
    return bytes([encoding[0] | 0x80, 0]) + encoding[1:]


Mangle = Callable[[bytes], bytes]
MANGLES = pytest.mark.parametrize("mangle", [with_unknown_field, with_duplicate, reordered, overlong])


def varint(value: int) -> bytes:
    """Base 128, least significant first."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])

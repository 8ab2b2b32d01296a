"""A second verifier of evidence files, bundles and contradictions, written from docs/protocol.md and `proto/`; nothing of `exchange`.

Section numbers in comments are those of the page. It is to be read in one go beside it: hence no blank lines inside a section.
"""

# fmt: off
import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import pairwise
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import DecodeError

from tests.proto_runtime import kind, option, schema

SKEW, STATEMENT_CAP = 120_000, 128 * 1024
STATEMENT, AGREEMENT, LOG, RECEIPT, WITNESS, IDENTITY = range(1, 7)  # KeyUse
DOMAIN = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
PARTY = re.compile(rf"spiffe://(?P<domain>{DOMAIN})/(?P<role>[A-Za-z0-9._-]{{1,128}})(?P<rest>(/[A-Za-z0-9._-]{{1,128}})*)")
ORIGIN = re.compile(rf"(?P<sender>{DOMAIN})/disclosures/(?P<recipient>{DOMAIN})/[1-9][0-9]{{0,8}}")
JOURNAL = re.compile(rf"(?P<sender>{DOMAIN})/journal/[1-9][0-9]{{0,8}}")
# y of the points of small order, as in libsodium's ge25519_has_small_order: 1 and -1, 0, two more, and what is the same modulo 2^255 - 19
SMALL = {*(y % 2**255 for y in (0, 1, -20, -19, -18)), 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
         0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7}
Note = tuple[str, int, bytes]  # origin, size, root
Key = tuple[str, bytes, int]  # name, raw Ed25519 key, C2SP signature type

class Bad(Exception):
    """A check failed; args[0] is its code."""
WRONG = (Bad, DecodeError, ValueError, LookupError, TypeError, AttributeError, InvalidSignature)
def need(holds: object, code: str = "BAD") -> None:
    if not holds:
        raise Bad(code)
@contextmanager
def under(code: str) -> Iterator[None]:  # whatever fails inside fails as `code`
    try:
        yield
    except WRONG as error:
        raise Bad(code) from error
def h(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
def ascends(values: Any) -> bool:
    return all(a < b for a, b in pairwise(values))
# Sections 2 and 3: the one encoding, profiles
def strict(name: str, data: bytes, cap: int = STATEMENT_CAP) -> Any:
    message = kind(name).FromString(data)
    message.DiscardUnknownFields()
    need(len(data) <= cap and message.SerializeToString(deterministic=True) == data)
    return message
def told(of: Any, seen: set[str]) -> Iterator[str]:
    seen.add(of.full_name)
    if not hasattr(of, "fields"):
        yield from (f"enum {of.full_name}", *(f"{v.number} {v.name}" for v in sorted(of.values, key=lambda v: v.number)))
        return
    yield f"message {of.full_name}"
    fields = [(field, field.message_type or field.enum_type) for field in sorted(of.fields, key=lambda field: field.number)]
    for field, refers in fields:
        presence = "repeated" if field.is_repeated else "explicit" if field.has_presence else "implicit"
        of_type = refers.full_name if refers else FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
        yield f"{field.number} {field.name} {presence} {of_type} {option(field, 'Field', 'category') or '-'}"
    for _, refers in fields:
        yield from told(refers, seen) if refers and refers.full_name not in seen else ()
@cache
def alert(name: str) -> tuple[tuple[int, ...], bytes, bool]:
    """Field numbers, profile digest, is it a control alert?"""
    descriptor = schema().FindMessageTypeByName(name)
    nature, lines = option(descriptor, "Message", "alert_kind"), ("alert-exchange/v1 profile", *told(descriptor, set()))
    need(nature)
    numbers = tuple(sorted(field.number for field in descriptor.fields))
    return numbers, h("".join(f"{line}\n" for line in lines).encode()), nature == "CONTROL"
def party(text: str) -> tuple[str, str]:
    found = PARTY.fullmatch(text)
    need(found and len(text) <= 2048 and len(found["domain"]) <= 253 and not {".", ".."} & {found["role"], *found["rest"].split("/")})
    return found["domain"], found["role"]  # the trust domain and its role
# Section 1 and 2: statements, keys, descriptors
def pae(statement: Any) -> bytes:
    return b"DSSEv1 %d %b %d %b" % (len(statement.type.encode()), statement.type.encode(), len(statement.payload), statement.payload)
def digest(statement: Any) -> bytes:
    return h(pae(statement))
def signed(statement: Any, name: str, use: int, keys: dict[bytes, Any], count: int = 1) -> list[Any]:
    need(statement.ByteSize() <= STATEMENT_CAP and statement.type == f"application/vnd.alert-exchange.{name}.v1+protobuf")
    need(len(statement.signatures) == count and ascends(signature.key_id for signature in statement.signatures))
    for signature in statement.signatures:
        key, value = keys[signature.key_id], signature.signature
        public: Any = load_der_public_key(key.public_key)
        need(key.use == use and isinstance(public, {1: ed25519.Ed25519PublicKey, 2: ec.EllipticCurvePublicKey}[key.suite]))
        if key.suite == 1:
            public.verify(value, pae(statement))
        else:
            need(isinstance(public.curve, ec.SECP256R1) and len(value) == 64)
            der = utils.encode_dss_signature(int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
            public.verify(der, pae(statement), ec.ECDSA(SHA256()))
    return [keys[signature.key_id] for signature in statement.signatures]
def speaks(key: Any, who: str, at: int) -> bool:
    ends = [end for end in (key.not_after, key.revoked_at, key.compromised_since) if end]
    return who in key.speaks_for and key.not_before <= at < key.not_after and at < min(ends)
def unstolen(key: Any, held: int) -> bool:
    return not key.compromised_since or held < key.compromised_since
class Node:
    """A country as its chain of descriptors says, from the pinned key on."""
    def __init__(self, statements: Any, pin: bytes) -> None:
        allowed, before = {pin}, dict[bytes, Any]()
        for statement in statements:
            self.keys = {h(key.public_key): key for key in kind("NodeDescriptor").FromString(statement.payload).keys}
            (signer,) = signed(statement, "descriptor", IDENTITY, self.keys)
            says = strict("NodeDescriptor", statement.payload)
            self.domain, self.name = says.trust_domain, f"spiffe://{says.trust_domain}/node"
            need(h(signer.public_key) in allowed and speaks(signer, self.name, says.issued_at) and not signer.compromised_since)
            self.check_form(says)
            for key_id, (old, sequence, domain) in before.items():
                new = self.keys[key_id]
                need((old.use, old.suite, domain) == (new.use, new.suite, self.domain) and sequence < says.sequence)
                pairs = ((old.revoked_at, new.revoked_at), (old.compromised_since, new.compromised_since))
                need(all(not was or 0 < now <= was for was, now in pairs))
            allowed = {h(signer.public_key), says.next_identity_key}
            before = {key_id: (key, says.sequence, self.domain) for key_id, key in self.keys.items()}
        need(statements)
    def check_form(self, says: Any) -> None:
        need(says.version == 1 and says.node_ca and len(says.next_identity_key) == 32 and len(self.keys) == len(says.keys))
        for key in says.keys:
            need(all(party(who)[0] == self.domain for who in key.speaks_for) and bool(key.revoked_at) == bool(key.revocation_reason))
            need(bool(key.compromised_since) == (key.revocation_reason == 1) and (key.use not in {LOG, WITNESS} or key.suite == 1))
            raw = key.public_key.removeprefix(bytes.fromhex("302a300506032b6570032100"))
            need(key.suite != 1 or ((len(raw), len(key.public_key)) == (32, 44) and int.from_bytes(raw, "little") % 2**255 not in SMALL))
        for names in ([one.agency for one in says.agencies], [one.alert_type for one in says.understands]):
            need(len(set(names)) == len(names) and all(len(profile) == 32 for one in says.understands for profile in one.profiles))
        need(all(one.agency.startswith(f"spiffe://{self.domain}/agency/") and one.agency_class for one in says.agencies))
    def log_keys(self, origin: str, at: int | None, held: int | None = None, *, every: bool = False) -> list[Key]:
        """Keys that may sign that log at a time; without one those that are not known as compromised."""
        keys = [key for key in self.keys.values() if key.use == LOG and (held is None or unstolen(key, held))]
        fit = [key for key in keys if every or (speaks(key, self.name, at) if at is not None else not key.compromised_since)]
        return [(origin, key.public_key[-32:], 1) for key in fit]
def pinned(statements: Any, pins: dict[str, bytes]) -> Node:
    for domain, pin in pins.items():
        with suppress(*WRONG):
            node = Node(statements, pin)
            need(node.domain == domain)
            return node
    raise Bad("EVIDENCE_NOT_PINNED")
# Section 4: notes, checkpoints, trees, as in C2SP signed-note, tlog-checkpoint and tlog-cosignature, and in RFC 6962
def checkpoint(text: bytes) -> Note:
    origin, size, root = re.fullmatch(r"([^\x00-\x1f]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n", text.decode()).groups()
    need(int(size) < 2**63 and len(text) <= 1 << 20 and b64encode(b64decode(root)).decode() == root)
    return origin, int(size), b64decode(root)
def note(data: bytes, keys: list[Key]) -> tuple[bytes, dict[int, bytes]]:  # the text; by place in `keys`, what signatures hold
    head, blank, block = data.rpartition(b"\n\n")
    text, held, ids = head + b"\n", dict[int, bytes](), [(n, h(n.encode() + b"\n" + bytes([form]) + key)[:4]) for n, key, form in keys]
    need(blank and re.fullmatch(r"[^\x00-\x09\x0b-\x1f]*\n", data.decode()) and len(data) <= 1 << 20)
    lines = [re.fullmatch(r"— ([^\s+\x00-\x1f]+) ([A-Za-z0-9+/]{7,}=*)", line) for line in block.decode()[:-1].split("\n")]
    parsed = [(line[1], b64decode(line[2])) for line in lines]
    need(len(lines) <= 100 and [b64encode(raw).decode() for _, raw in parsed if len(raw) > 4] == [line[2] for line in lines])
    for name, raw in parsed:
        places = [place for place, known in enumerate(ids) if known == (name, raw[:4])]
        need(len(places) < 2)
        for place in set(places) - set(held):
            (_, key, form), time = keys[place], int.from_bytes(raw[4:12], "big")
            need(form == 1 or time < 2**63)
            signature, what = (raw[4:], text) if form == 1 else (raw[12:], b"cosignature/v1\ntime %d\n" % time + text)
            ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, what)
            held[place] = raw[4:]
    need(held)
    return text, held
def opened(data: bytes, keys: list[Key]) -> Note:
    found = checkpoint(note(data, keys)[0])
    need(found[0] in {name for name, _, _ in keys})
    return found
def both(left: bytes, right: bytes) -> bytes:
    return h(b"\1" + left + right) if len(left) == len(right) == 32 else b""
def tree_root(value: bytes, index: int, size: int, proof: Any) -> bytes:
    """Where an inclusion proof leads (RFC 6962 section 2.1.1)."""
    need(0 <= index < size and (size > 1 or not proof))
    if size == 1:
        return value
    k = 1 << (size - 1).bit_length() - 1
    below = tree_root(value, index if index < k else index - k, k if index < k else size - k, proof[:-1])
    return both(below, proof[-1]) if index < k else both(proof[-1], below)
def two_roots(old: int, new: int, nodes: Any) -> tuple[bytes, bytes]:
    """Where the nodes of SUBPROOF(old, D[new], false) lead (RFC 6962 section 2.1.2)."""
    need(0 < old <= new and (old < new or len(nodes) == 1))
    if old == new:
        return nodes[0], nodes[0]
    k = 1 << (new - 1).bit_length() - 1
    first, second = two_roots(old, k, nodes[:-1]) if old <= k else two_roots(old - k, new - k, nodes[:-1])
    return (first, both(second, nodes[-1])) if old <= k else (both(nodes[-1], first), both(nodes[-1], second))
def receipt(statement: Any, node: Node) -> tuple[Any, Note, Any]:
    (key,) = signed(statement, "receipt", RECEIPT, node.keys)
    says = strict("Receipt", statement.payload)
    place = checkpoint(says.checkpoint)
    need(speaks(key, node.name, says.received_at) and says.previous_size < place[1] and ascends(one.index for one in says.exceptions))
    need(all(says.previous_size <= one.index < place[1] and one.code for one in says.exceptions))
    return says, place, key
class Policy:
    """A verifier's own, in its simplest form: so many organisations (10) among these witnesses, raw keys by name, never the log's own."""
    def __init__(self, witnesses: dict[str, bytes], organisations: int) -> None:
        self.keys, self.organisations = [(name, key, 4) for name, key in witnesses.items()], organisations
    def witnessed(self, data: bytes, node: Node, origin: str) -> int:
        cosigned: set[str] = set()
        with suppress(*WRONG):
            opened(data, node.log_keys(origin, 0, every=True))
            for at, place in sorted((int.from_bytes(value[:8], "big"), place) for place, value in note(data, self.keys)[1].items()):
                cosigned |= {self.keys[place][0].partition("/")[0]} - {node.domain}
                if len(cosigned) >= self.organisations:
                    return at * 1000
        return 0
# Section 9: one disclosure, with what it is made of (sections 3, 4, 6, 7, 8, 10)
def check_handling(says: Any) -> None:
    need(all(ascends(listed) and 0 not in listed for listed in (says.codes, says.permitted_purposes)))
def check_entry(entry: Any, recipient: str) -> None:
    digests = {len(one) for one in (entry.agreement_digest, entry.thread, entry.in_reply_to, entry.permit_digest, entry.request_digest)}
    need(len(entry.manifest_digest) == len(entry.authorisation) == 32 and digests <= {0, 32} and entry.disclosed_at > 0)
    need(entry.fields and ascends(entry.fields) and entry.fields[0] >= 1 and entry.fields[-1] <= 64)
    need(entry.audience and ascends(entry.audience) and all(party(who) == (recipient, "agency") for who in entry.audience))
    need(bool(entry.agreement_digest) == bool(entry.clause) and (not entry.request_digest or entry.on_request_ground))
    check_handling(entry.stricter)
def check_manifest(says: Any) -> None:
    numbers, profile, control = alert(says.alert_type)
    need(says.version == 1 and party(says.originator)[1] in {"agency", "node"} and says.profile == profile)
    need(len(says.alert_id) == 16 and says.alert_id[6] >> 4 == 7 and says.alert_id[8] >> 6 == 2)
    need(len(set(says.supersedes)) == len(says.supersedes) <= 32 and all(len(one) == 32 for one in (*says.supersedes, *says.slots)))
    need(says.issued_at > 0 and (says.not_after == 0 if control else says.not_after > says.issued_at) and len(says.slots) == len(numbers))
    check_handling(says.handling)
def check_openings(openings: Any, entry: Any, manifest: Any) -> None:
    need([one.field for one in openings] == list(entry.fields) and sum(len(one.fragment) for one in openings) <= 448 * 1024)
    need(len({one.salt for one in openings}) == len(openings) and all(len(one.salt) == 32 for one in openings))
    for one in openings:
        hidden = one.field.to_bytes(2, "big") + one.salt + len(one.fragment).to_bytes(4, "big") + one.fragment
        slot = h(b"alert-exchange/v1 slot\0" + manifest.alert_id + manifest.profile + hidden)
        need(manifest.slots[alert(manifest.alert_type)[0].index(one.field)] == slot)
        alone = strict(manifest.alert_type, one.fragment, 448 * 1024).ListFields()  # if each is strict, so is the joined view
        need([field.number for field, _ in alone] == ([one.field] if one.fragment else []))
def check_agreement(statement: Any, entry: Any, manifest: Any, nodes: tuple[Node, Node], at: int, held: int) -> None:
    signers = signed(statement, "agreement", AGREEMENT, {**nodes[0].keys, **nodes[1].keys}, 2)
    says = strict("Agreement", statement.payload)
    parties, classes = [one.trust_domain for one in says.parties], {one.agency: one.agency_class for one in says.agencies}
    need(len(parties) == 2 and parties == sorted(node.domain for node in nodes) and digest(statement) == entry.agreement_digest)
    for node in nodes:
        (key,) = [key for key in signers if h(key.public_key) in node.keys]
        need(speaks(key, node.name, says.proposed_at) and unstolen(key, held))
    need(says.version == 1 and says.valid_from < says.valid_until and max(len(says.agencies), len(says.clauses)) <= 256)
    need(0 < len(says.instrument) <= 300 and all(0 < len(one.legal_basis) <= 500 for one in says.parties))
    need(ascends(one.agency for one in says.agencies) and all(of and party(who)[0] in parties for who, of in classes.items()))
    need(ascends(one.id for one in says.clauses))
    for one in says.clauses:
        lists = (one.required, one.permitted, one.on_request)
        numbers = [number for listed in lists for number in listed]
        need(all(map(ascends, lists)) and len(set(numbers)) == len(numbers) and set(numbers) <= set(range(1, 65)))
        need(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", one.id) and sorted((one.sender, one.recipient)) == parties and one.audience)
        need(not alert(one.alert_type)[2] and 1 <= one.maximum_retention_days <= 36525 and one.onward and 1 <= len(one.purposes) <= 16)
        need(all(ascends(listed) and 0 not in listed for listed in (one.purposes, one.transfer_conditions)))
    (clause,) = (one for one in says.clauses if one.id == entry.clause)
    need((clause.sender, clause.recipient, clause.alert_type) == (nodes[0].domain, nodes[1].domain, manifest.alert_type))
    need(all(classes[who] == clause.audience for who in entry.audience) and says.valid_from - SKEW <= at < says.valid_until + SKEW)
    need(entry.purpose in clause.purposes and entry.purpose in manifest.handling.permitted_purposes)
    may = {*clause.required, *clause.permitted, *(clause.on_request if entry.on_request_ground else ())}
    need(set(entry.fields) <= may & set(alert(manifest.alert_type)[0]))
def check_permit(statement: Any, entry: Any, manifest: Any, originator: Node, nodes: tuple[Node, Node], at: int, held: int) -> None:
    (key,) = signed(statement, "permit", STATEMENT, originator.keys)
    says, control = strict("Permit", statement.payload), alert(manifest.alert_type)[2]
    need(says.version == 1 and len(says.manifest_digest) == 32 and says.issued_at < says.expires_at and ascends(says.fields))
    need([party(who)[1] for who in (says.originator, says.holder, says.third_party)] == ["agency", "node", "node"])
    need(speaks(key, says.originator, says.issued_at) and unstolen(key, held) and digest(statement) == entry.permit_digest)
    need(says.manifest_digest == (entry.in_reply_to if control else entry.manifest_digest))
    need((says.holder, says.third_party) == (nodes[0].name, nodes[1].name))
    need(manifest.originator in {says.originator, f"spiffe://{party(says.originator)[0]}/node" if control else says.originator})
    inside = says.issued_at <= at < says.expires_at and entry.purpose == says.purpose and set(entry.fields) <= set(says.fields)
    need(control or inside)
def anchored(anchor: Any, held: Note, of: bytes, nodes: tuple[Node, Node], policy: Policy | None) -> tuple[bool, int]:
    origin = anchor.checkpoint.decode().partition("\n")[0]
    (node,) = [node for node in nodes if node.domain == JOURNAL.fullmatch(origin)["sender"]]
    at = policy.witnessed(anchor.checkpoint, node, origin) if policy else 0
    _, size, root = opened(anchor.checkpoint, node.log_keys(origin, at or None))
    says = strict("JournalEntry", anchor.entry, 4096)
    need(tree_root(h(b"\0" + anchor.entry), anchor.index, size, anchor.inclusion_proof) == root and says.at > 0)
    parties = [says.party, *([says.counterparty] if says.counterparty and not re.fullmatch(DOMAIN, says.counterparty) else [])]
    need(all(party(who)[1] in {"node", "agency"} for who in parties) and (says.origin or not says.count) and (says.count or not says.index))
    need({len(one) for one in (says.subject, says.root, says.accountability, says.personal)} <= {0, 32})
    need(not says.origin or ORIGIN.fullmatch(says.origin) or JOURNAL.fullmatch(says.origin))
    if says.kind == 18:
        need(says.code == "TAKEN" and says.subject == of and not says.root and not anchor.consistency_proof)
        return True, at
    need((says.kind, says.origin) == (17, held[0]) and says.code in {"OUTBOUND", "INBOUND"} and says.root and not says.index)
    proof = [*([held[2]] if not held[1] & (held[1] - 1) or held[1] == says.count else []), *anchor.consistency_proof]
    need(two_roots(held[1], says.count, proof) == (held[2], says.root))
    return False, at
def disclosure(file: Any, pins: dict[str, bytes], policy: Policy | None) -> None:
    """E1 to E12 of an EvidenceFile that has been decoded strictly."""
    with under("EVIDENCE_MALFORMED"):
        entry = strict("Entry", file.entry, 4096)
        need(file.version == 1 and not entry.succession)
    nodes = sender, recipient = pinned(file.sender_descriptors, pins), pinned(file.recipient_descriptors, pins)
    with under("EVIDENCE_RECEIPT"):
        says, held, receipt_key = receipt(file.receipt, recipient)
    since = at = says.received_at
    with under("EVIDENCE_CHECKPOINT"):
        need(ORIGIN.fullmatch(held[0]).group("sender", "recipient") == (sender.domain, recipient.domain))
        need(opened(file.checkpoint, sender.log_keys(held[0], at)) == held)
    with under("EVIDENCE_INCLUSION"):
        need(says.previous_size <= file.index and tree_root(h(b"\0" + file.entry), file.index, held[1], file.inclusion_proof) == held[2])
    with under("EVIDENCE_LEVEL"):
        has = (file.HasField("manifest"), bool(file.openings), any(one.index == file.index for one in says.exceptions))
        need(has == ((True, True, False), (True, False, False), (False, False, False), (False, False, True))[file.level - 1] and file.level)
        None if has[2] else check_entry(entry, recipient.domain)
    with under("EVIDENCE_ANCHOR"):
        need(len(file.anchors) <= 4)
        anchors = [anchored(anchor, held, digest(file.receipt), nodes, policy) for anchor in file.anchors]
    if policy:
        with under("EVIDENCE_WITNESSED"):
            since, stolen = min(seen for _, seen in anchors if seen), receipt_key.compromised_since
            need(not stolen or any(itself and 0 < seen < stolen for itself, seen in anchors))
            opened(file.checkpoint, sender.log_keys(held[0], at, since))
    if not has[0]:
        return
    with under("EVIDENCE_MANIFEST"):
        manifest = strict("Manifest", file.manifest.payload, 8192)
        check_manifest(manifest)
        originator = sender if party(manifest.originator)[0] == sender.domain else pinned(file.originator_descriptors, pins)
        (key,) = signed(file.manifest, "manifest", STATEMENT, originator.keys)
        need(speaks(key, manifest.originator, manifest.issued_at) and unstolen(key, since))
        need(digest(file.manifest) == entry.manifest_digest)
    with under("EVIDENCE_OPENINGS"):
        check_openings(file.openings, entry, manifest) if file.level == 1 else None
    with under("EVIDENCE_AGREEMENT"):
        None if alert(manifest.alert_type)[2] else check_agreement(file.agreement, entry, manifest, nodes, at, since)
    with under("EVIDENCE_PERMIT"):
        None if originator is sender else check_permit(file.permit, entry, manifest, originator, nodes, at, since)
# Section 9: files
def bundle(data: bytes, pins: dict[str, bytes], policy: Policy | None) -> None:
    with under("BUNDLE_MALFORMED"):
        whole = strict("EvidenceBundle", data, 64 << 20)
        domains = [kind("NodeDescriptor").FromString(chain.descriptors[-1].payload).trust_domain for chain in whole.nodes]
        digests = [digest(statement) for statement in whole.statements]
        places = [checkpoint(kind("Receipt").FromString(one.receipt.payload).checkpoint)[:2] for one in whole.ranges]
        indexes = [[one.index for one in shared.disclosures] for shared in whole.ranges]
        need(whole.version == 1 and places and all(indexes) and all(map(ascends, (domains, digests, places, *indexes))))
        routes = [ORIGIN.fullmatch(origin).groupdict() for origin, _ in places]
        entries = [[kind("Entry").FromString(one.entry) for one in shared.disclosures] for shared in whole.ranges]
    chains, statements = dict(zip(domains, whole.nodes, strict=True)), dict(zip(digests, whole.statements, strict=True))
    named: set[Any] = set()
    for shared, route, known in zip(whole.ranges, routes, entries, strict=True):
        for one, entry in zip(shared.disclosures, known, strict=True):
            file = kind("EvidenceFile")(receipt=shared.receipt, checkpoint=shared.checkpoint, anchors=shared.anchors, version=1)
            file.MergeFrom(kind("EvidenceFile")(**{field.name: value for field, value in one.ListFields()}))
            wanted = {"agreement": entry.agreement_digest, "permit": entry.permit_digest}
            wanted |= {"manifest": entry.manifest_digest} if one.level in {1, 2} else {}
            for field in [field for field, name in wanted.items() if name in statements]:
                getattr(file, field).CopyFrom(statements[wanted[field]])
            roles = {"sender": route["sender"], "recipient": route["recipient"]}
            with suppress(*WRONG):  # E7 says what is wrong with the manifest, if there should be one
                roles["originator"] = party(kind("Manifest").FromString(file.manifest.payload).originator)[0]
            for role in [role for role, name in roles.items() if name in chains]:
                getattr(file, f"{role}_descriptors").extend(chains[roles[role]].descriptors)
            named |= {*wanted.values(), *roles.values()}
            disclosure(file, pins, policy)
    need(named >= {*domains, *digests}, "BUNDLE_NOT_NAMED")
def contradiction(data: bytes, pins: dict[str, bytes]) -> None:
    with under("CONTRADICTION_MALFORMED"):
        file = strict("Contradiction", data, 4 << 20)
        has = (bool(file.smaller), bool(file.larger), file.HasField("receipt"), file.HasField("other_receipt"), bool(file.hashes))
        need(file.version == 1 and (has[:4] == (True, True, False, False) or has == (False, False, True, True, False)))
    node = pinned(file.descriptors, pins)
    with under("CONTRADICTION_UNVERIFIED"):
        if has[0]:
            origins = [signed_.decode().partition("\n")[0] for signed_ in (file.smaller, file.larger)]
            need(all((JOURNAL.fullmatch(origin) or ORIGIN.fullmatch(origin))["sender"] == node.domain for origin in origins))
            first, second = opened(file.smaller, node.log_keys(origins[0], None)), opened(file.larger, node.log_keys(origins[1], None))
        else:
            (one, first, key), (other, second, other_key) = receipt(file.receipt, node), receipt(file.other_receipt, node)
            need(not key.compromised_since and not other_key.compromised_since)
            need(all(ORIGIN.fullmatch(origin)["recipient"] == node.domain for origin in (first[0], second[0])))
    with under("CONTRADICTION_NONE"):
        need(first[0] == second[0])
        if not has[0]:
            need(file.receipt.payload != file.other_receipt.payload)
            need(max(one.previous_size, other.previous_size) < min(first[1], second[1]))
        elif first[1] == second[1]:
            need(first[2] != second[2] and not file.hashes)
        else:
            old, new = two_roots(first[1], second[1], file.hashes)
            need(new == second[2] and old != first[2])
def verify(data: bytes, pins: dict[str, bytes], policy: Policy | None = None) -> None:
    """Raise `Bad` (code) unless the file holds."""
    line, _, rest = data.partition(b"\n")
    if line == b"alert-exchange/v1 evidence-bundle":
        bundle(rest, pins, policy)
    elif line == b"alert-exchange/v1 contradiction":
        contradiction(rest, pins)
    else:
        with under("EVIDENCE_MALFORMED"):
            file = strict("EvidenceFile", data, 4 << 20)
        disclosure(file, pins, policy)

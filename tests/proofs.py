"""Made-up journals, anchors, bundles, contradictions and log files for tests, about the disclosures of `tests.builders`."""

from collections.abc import Iterable, Sequence
from typing import Any

from exchange.encoding import encode
from exchange.evidence_bundle import BUNDLE_LINE
from exchange.journal import encode_journal_entry, journal_origin, sign_journal
from exchange.log import LogName, frontier_of, raw_key
from exchange.log_file import write_log_parts
from exchange.signing import statement_digest
from exchange.tlog.merkle import consistency_proof, inclusion_proof, leaf_hash
from exchange.tlog.note import CosignatureVerifier, sign_cosignature, split_note
from exchange.tlog.policy import Policy, parse_policy
from exchange.v1 import evidence_pb2, journal_pb2, log_file_pb2, statement_pb2
from exchange.witness import witness_name
from tests.builders import checkpoint, log_name, node, note, receipt, world
from tests.countries import NOW, LabelledKey, changed, countersigned, domain, ed25519_key, key, node_id
from tests.countries import agreement as agreement_of

WITNESSED = NOW // 1000 + 60
"""When the witnesses of `journal` cosigned, seconds since 1970."""
OVERSIGHT = "oversight.example/witness"


def witness_key(name: str) -> LabelledKey:
    """The key of a witness: a country's, or of a name that is none."""
    return key(name, "witness") if len(name) == 2 else ed25519_key(name)


def witness_line(name: str) -> str:
    """The witness in a policy file."""
    known = domain(name) + "/witness" if len(name) == 2 else name
    return CosignatureVerifier(name=known, public_key=raw_key(witness_key(name).spki)).vkey


def policy(*names: str, quorum: str = "all", logs: Iterable[str] = ()) -> Policy:
    """So many of these witnesses."""
    lines = [*(f"log {vkey}" for vkey in logs), *(f"witness w{place} {witness_line(name)}" for place, name in enumerate(names))]
    members = " ".join(f"w{place}" for place in range(len(names)))
    lines += [f"group g {quorum} {members}", "quorum g"] if names else ["quorum none"]
    return parse_policy("".join(f"{line}\n" for line in lines).encode())


def cosigned(signed: bytes, *names: str, at: int = WITNESSED) -> bytes:
    """The note with cosignatures of these witnesses, a second apart."""
    text, _ = split_note(signed)
    for place, name in enumerate(names):
        witness = witness_name(domain(name)) if len(name) == 2 else name
        signer = witness_key(name)
        signed += sign_cosignature(text, witness, raw_key(signer.spki), at + place, signer.sign).line()
    return signed


def journal_entry(country: str, **changes: Any) -> journal_pb2.JournalEntry:
    """That the country's node anchored gb's log towards kh, all four entries of it."""
    held = checkpoint(world().entries)
    wanted = journal_pb2.JournalEntry(
        kind=journal_pb2.JOURNAL_KIND_ANCHOR,
        code="OUTBOUND" if country == "gb" else "INBOUND",
        at=NOW,
        party=node_id(country),
        counterparty=domain("kh" if country == "gb" else "gb"),
        origin=held.origin,
        count=held.size,
        root=held.root,
    )
    return changed(wanted, **changes)


def receipt_entry(country: str, statement: statement_pb2.Statement | None = None, **changes: Any) -> journal_pb2.JournalEntry:
    """That the country's node took that receipt."""
    named: dict[str, Any] = {
        "kind": journal_pb2.JOURNAL_KIND_RECEIPT,
        "code": "TAKEN",
        "subject": statement_digest(statement or world().receipt),
        "root": None,
    }
    return journal_entry(country, **named | changes)


def journal(country: str) -> list[bytes]:
    """Entries that come before the one that matters."""
    before = [journal_pb2.JournalEntry(kind=journal_pb2.JOURNAL_KIND_SIGN_IN, code="CERTIFICATE", at=NOW, party=node_id(country))] * 5
    return [encode_journal_entry(entry) for entry in before]


def anchor(
    country: str = "gb",
    entry: journal_pb2.JournalEntry | None = None,
    witnesses: Sequence[str] = (),
    signer: LabelledKey | None = None,
    at: int = WITNESSED,
    **changes: Any,
) -> evidence_pb2.Anchor:
    """The journal's word under a checkpoint of six entries that these witnesses cosigned."""
    data = encode(entry or journal_entry(country))
    entries = [*journal(country), data]
    signed = sign_journal(journal_origin(domain(country), 1), frontier_of(entries), signer or key(country, "log"))
    wanted = evidence_pb2.Anchor(
        entry=data,
        index=5,
        inclusion_proof=inclusion_proof([leaf_hash(one) for one in entries], 5, 6),
        checkpoint=cosigned(signed, *witnesses, at=at),
    )
    return changed(wanted, **changes)


def later_anchor(grown: Sequence[bytes], country: str = "gb", **changes: Any) -> evidence_pb2.Anchor:
    """An anchor of the log when it had more entries than the receipt covers."""
    held = checkpoint(grown)
    proof = consistency_proof([leaf_hash(one) for one in grown], len(world().entries), len(grown))
    entry = journal_entry(country, count=held.size, root=held.root)
    return anchor(country, entry, **{"consistency_proof": proof} | changes)


def bundle(**changes: Any) -> evidence_pb2.EvidenceBundle:
    """The disclosures of `world()` at 1 without, and at 2 with its data."""
    good = world()
    proofs = [inclusion_proof([leaf_hash(one) for one in good.entries], index, 4) for index in (1, 2)]
    first = evidence_pb2.BundledDisclosure(
        level=evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY, entry=good.entries[1], index=1, inclusion_proof=proofs[0]
    )
    second = evidence_pb2.BundledDisclosure(
        level=evidence_pb2.EVIDENCE_LEVEL_DATA, entry=good.entries[2], index=2, inclusion_proof=proofs[1], openings=good.delivery.openings
    )
    wanted = evidence_pb2.EvidenceBundle(
        version=1,
        nodes=[evidence_pb2.NodeChain(descriptors=node(country).chain) for country in ("gb", "kh")],
        statements=sorted([good.sealed.statement, countersigned(agreement_of())], key=statement_digest),
        ranges=[evidence_pb2.ReceiptedRange(receipt=good.receipt, checkpoint=note(good.entries), disclosures=[first, second])],
    )
    return changed(wanted, **changes)


def bundle_file(content: evidence_pb2.EvidenceBundle) -> bytes:
    """As it stands in a file."""
    return BUNDLE_LINE + encode(content)


def rewritten(index: int = 1, size: int = 4) -> list[bytes]:
    """The log of `world()` with another entry at `index`, and grown or cut to `size`."""
    entries = [*world().entries, *world().entries][:size]
    return [b"another" if place == index else entry for place, entry in enumerate(entries)]


def log_file(
    holder: str = "gb",
    entries: Sequence[bytes] | None = None,
    receipts: Sequence[tuple[statement_pb2.Statement, bytes]] | None = None,
    name: LogName | None = None,
    **changes: Any,
) -> bytes:
    """A copy of the log of `world()`; changes are fields of the header."""
    held = list(world().entries if entries is None else entries)
    header = log_file_pb2.LogFileHeader(
        version=1,
        origin=(name or log_name()).origin,
        holder=domain(holder),
        size=len(held),
        written_at=NOW,
        sender_descriptors=node("gb").chain,
        recipient_descriptors=node("kh").chain,
        checkpoint=note(held) if held else b"",
    )
    given = [(receipt(held), note(held))] if receipts is None else receipts
    parts = [log_file_pb2.LogFileReceipt(receipt=statement, checkpoint=signed) for statement, signed in given]
    pages = iter([held[:3], held[3:]] if len(held) > 3 else [held] if held else [])
    return b"".join(write_log_parts(changed(header, **changes), pages, iter([parts] if parts else [])))

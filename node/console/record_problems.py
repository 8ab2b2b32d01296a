"""What signatures, logs, journals and stored records show when they do not hold, and what alarms and receipts say, by code, for people.

Many codes, few things that a person can do: a sentence says what it means and who looks into it, the code says the rest to them.
"""

from collections.abc import Mapping
from typing import Final

from node.console.problem_table import by_code


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


RECORD_PROBLEMS: Final[Mapping[str, str]] = by_code(
    {
        _said("A signature does not hold, or its key was not in force. Do not rely on this; tell your administrator the code."): (
            *("CHECKPOINT_ORIGIN", "CHECKPOINT_SIGNATURE", "CHECKPOINT_UNVERIFIED", "CONFIRMATION", "COSIGNATURE_MISSING"),
            *("COSIGNATURE_UNVERIFIED", "COSIGNATURE_WITHOUT_TIME", "KEY_COMPROMISED", "KEY_EARLY", "KEY_EXPIRED", "KEY_NOT_FOR_PARTY"),
            *("KEY_REVOKED", "KEY_UNKNOWN", "KEY_USE", "MANIFEST_UNVERIFIED", "NOTE_KEY_AMBIGUOUS", "NOTE_SIGNATURE", "NOTE_UNSIGNED"),
            *("POLICY_SIGNATURE", "PROPOSER_NOT_A_PARTY", "RECEIPT_KEY", "RECEIPT_UNVERIFIED", "SIGNATURE_INVALID", "SIGNERS"),
            *("SUITE_UNKNOWN", "WITNESS_SIGNATURE"),
        ),
        _said("This is not in the form that the protocol lays down. Nothing of it was taken over; tell your administrator the code."): (
            *("ADD_CHECKPOINT_MALFORMED", "AGREEMENT_MALFORMED", "ALERT_ID", "BATCH_CAP", "CHECKPOINT_MALFORMED", "DELIVERY_MALFORMED"),
            *("ENTRY_MALFORMED", "EVIDENCE_MALFORMED", "FRAGMENT_MALFORMED", "FRONTIER_MALFORMED", "HANDLING_MALFORMED"),
            *("JOURNAL_ENTRY_MALFORMED", "LEAF_MALFORMED", "LOG_FILE_MALFORMED", "MANIFEST_MALFORMED", "NOTE_MALFORMED"),
            *("NOT_CANONICAL", "NOT_PROTOBUF", "ORIGIN_MALFORMED", "PERMIT_MALFORMED", "POLICY_MALFORMED", "PROOF_MALFORMED"),
            *("RECEIPT_MALFORMED", "RECEIPT_TILES", "RECONCILE_ANSWER", "SALTS", "SALT_MALFORMED", "SIGNATURE_COUNT", "SIGNATURE_ORDER"),
            *("SLOT_COUNT", "STATEMENT_TOO_LARGE", "STATEMENT_TYPE", "VKEY_MALFORMED", "WITNESS_ANSWER"),
        ),
        _said(
            "The entries of a log or journal do not fit what was signed: something was lost or changed, or an old copy was restored. "
            "Keep everything as it is, and compare with the partner and the witnesses."
        ): (
            *("ANCHOR_BEYOND_LOG", "ANCHOR_FALLS", "CHECKPOINT_LINES", "CHECKPOINT_OTHER", "CHECKPOINT_ROOT", "CONSISTENCY_INVALID"),
            *("ENTRY_BEYOND_LOG", "ENTRY_LEAF", "HELLO_CHECKPOINT", "HIGH_WATER_FORK", "HIGH_WATER_LOWERED", "HIGH_WATER_MISSING"),
            *("HIGH_WATER_ROLLBACK", "INCLUSION_INVALID", "JOURNAL_BEYOND_LOG", "JOURNAL_CHECKPOINT", "JOURNAL_FORK", "JOURNAL_ROLLBACK"),
            *("JOURNAL_SHRUNK", "JOURNAL_SPLIT", "JOURNAL_TIME_FALLS", "LOGS_DIFFER", "LOG_FORK", "LOG_FRONTIER", "LOG_MISMATCH"),
            *("OWN_ROLLBACK", "RECEIPT_BEYOND_LOG", "RECEIPT_CHECKPOINT", "RECEIPT_ROOT", "TREE_INCOMPLETE", "TREE_NODE"),
            *("TREE_NODE_MISSING", "TREE_NODE_SURPLUS", "TREE_NOT_REBUILT", "WITNESSED_MISMATCH", "WITNESS_INCONSISTENT"),
            *("WITNESS_OTHER_SIZE", "DISCLOSED_AT_FALLS", "NOT_THE_LOG_OWNER"),
        ),
        _said(
            "What is kept beside an entry is not what the entry says. Do not rely on the content; let your administrator and the sender "
            "compare it."
        ): (
            *("ALERT_TWICE", "ANSWER_MISMATCH", "AUTHORISATION_MISMATCH", "COMMITMENT_MISMATCH", "CONFIRMATION_MISMATCH"),
            *("CONTENT_UNREADABLE", "DETAIL_MISMATCH", "DETAIL_SURPLUS", "DETAIL_UNREADABLE", "DISTRIBUTION_MISMATCH"),
            *("ENTRY_OF_OTHER_ALERT", "ENTRY_WITHOUT_ALERT", "ENTRY_WITHOUT_LOG", "EXCEPTED_BUT_KEPT", "EXCEPTION_MISMATCH"),
            *("EXCEPTION_OUTSIDE_RECEIPT", "INBOX_MISMATCH", "JOURNAL_COLUMNS", "JOURNAL_ROW", "MANIFEST_DIGEST", "ONWARD_MISMATCH"),
            *("OPENINGS_MISMATCH", "PERIOD_KEY_UNREADABLE", "PERMIT_MISMATCH", "RECALL_MISMATCH", "RECEIPT_ROW"),
            *("SUPERSESSION_MISMATCH", "ALERT_WITHOUT_ENTRY", "ROW_MISMATCH", "STATE_MISMATCH", "VAULT_TAMPERED"),
        ),
        _said("Something is missing here that no recorded erasure explains. Ask who had access, and compare backups."): (
            *("AUTHORISATION_MISSING", "DETAIL_MISSING", "ENTRY_MISSING", "ERASURE_NOT_RECORDED", "LOG_MISSING", "NOT_JOURNALLED"),
            "ORIGINATOR_UNKNOWN",
        ),
        _said("An erasure is not finished: the next run of retention goes on with it. If this stays, tell your administrator."): (
            *("ERASURE_INCOMPLETE", "ERASURE_UNDER_WAY"),
        ),
        _said("This is kept longer than its limit. Your administrator runs retention now."): ("PAST_LIMIT",),
        _said("A receipt, checkpoint or cosignature is late. Ask the other side why; nothing is lost meanwhile."): (
            *("ANCHOR_OVERDUE", "CHECKPOINT_OVERDUE", "DELIVERY_WAITS", "RECEIPT_NOT_GIVEN", "RECEIPT_OVERDUE", "RECEIPT_PENDING"),
            "UNRECEIPTED",
        ),
        _said("This was disclosed twice to the same agency. Ask its author why."): ("DISCLOSED_TWICE",),
        _said("The content was erased on purpose, and its entry is left. Nothing has to be done."): ("CONTENT_ERASED",),
        _said("It was lost with a restored backup, and taken over from the partner’s copy. Nothing has to be done."): ("ADOPTED",),
        _said("It was signed by a key that was stolen, and nobody can prove when. Ask the sender to confirm it."): (
            "MANIFEST_UNCONFIRMED",
        ),
        _said("This is no proof of a contradiction, or not of a log of yours. Compare with the partner again."): (
            *("CONTRADICTION_MALFORMED", "CONTRADICTION_NONE", "CONTRADICTION_UNVERIFIED", "NOT_THE_RECIPIENT"),
        ),
        _said("This evidence does not prove what it says. Ask the node that made it for another file."): (
            *("EVIDENCE_AGREEMENT", "EVIDENCE_ANCHOR", "EVIDENCE_CHECKPOINT", "EVIDENCE_INCLUSION", "EVIDENCE_MANIFEST"),
            *("EVIDENCE_NOT_PINNED", "EVIDENCE_OPENINGS", "EVIDENCE_PERMIT", "EVIDENCE_RECEIPT", "ANCHOR_OF_ANOTHER"),
        ),
        _said("Too few witnesses have signed this state of the journal, or their policy does not fit it. Wait, or ask the witnesses."): (
            *("EVIDENCE_WITNESSED", "JOURNAL_STALE", "JOURNAL_UNPROVEN", "JOURNAL_UNWITNESSED", "POLICY_COSIGNATURE", "POLICY_LOG"),
            *("POLICY_NOBODY", "POLICY_QUORUM", "WITNESS_STALE", "WITNESS_UNKNOWN_ORIGIN", "WITNESS_UNREACHABLE"),
        ),
        _said("The clocks of two nodes differ by too much. Let your administrator compare both with a time server."): (
            *("CLOCK", "CLOCKS_APART", "RECEIPT_CLOCK"),
        ),
        _said("The partner’s node cannot be reached. Try again later; if this stays, telephone them."): ("PARTNER_UNREACHABLE",),
        _said("The partner’s node refuses the connection. Your administrator telephones theirs."): ("STREAM_REFUSED",),
        _said("A notice to your office was given up after a day. What it was about stands on the page Work."): ("NOTICE_UNDELIVERED",),
        _said("An agreement does not hold by the keys that are known now. Ask the partner, and agree anew."): ("AGREEMENT_UNVERIFIED",),
        _said("Something was passed on to you without leave of its sender. Do not use it; ask the sender."): ("ONWARD_WITHOUT_PERMIT",),
        _said("An agreement for an emergency was made. Somebody else reviews afterwards what goes under it."): ("EMERGENCY_AGREEMENT",),
        _said("A release in an emergency was not reviewed in time. Let somebody else review it now."): ("EMERGENCY_UNREVIEWED",),
        _said("An oral approval was not confirmed in writing in time. Ask the officer who gave it."): ("ORAL_APPROVAL_UNCONFIRMED",),
        _said("The journal of a node goes on under another name. Check that its people announced it."): ("JOURNAL_SUCCEEDED",),
        _said("The content was withheld after it was logged: it had been recalled, or the agreement had ended."): ("WITHHELD", "LAPSED"),
        _said("The recipient’s node refused it. Ask their desk, and release anew if it is still needed."): ("EXCEPTED",),
        _said("The alert had expired."): ("EXPIRED",),
        _said("The alert had been withdrawn or corrected."): ("WITHDRAWN",),
        _said("A field that the clause requires was not in it. Release it again with that field."): ("REQUIRED_MISSING",),
        _said("Another alert under the same name is in use there. Ask their desk which one they hold."): ("CONFLICT",),
        _said("This node’s store cannot be used now, and nothing was changed. Tell your administrator the code at once."): (
            *("HIGH_WATER_FULL", "HIGH_WATER_UNREADABLE", "STORE_CLOSED", "STORE_LOCKED"),
        ),
    }
)

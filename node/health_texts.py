"""What each code of a node's health check means, and what to do: for the command line, and, translated, for the console.

A sentence may name the `subject`, the `count` and the time `at` of its check; a command stands as it is typed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthText:
    """One code's words."""

    why: str
    """%(subject)s, %(count)s, %(at)s."""
    do: str = ""
    command: str = ""
    """%(subject)s."""


_KEY: Final = "exchange key rotate %(subject)s --config DIR/node.toml"
_RENEW: Final = "exchange node renew %(subject)s --dir DIR"
_DESCRIBE: Final = "exchange node describe --config DIR/node.toml"
_PARTNER: Final = "exchange partner show %(subject)s"
_CALL: Final = "Telephone the partner’s administrator."
_RUNBOOK: Final = "docs/operations.md says what to do for this code. Then set the alarm aside."

TEXTS: Final[Mapping[str, HealthText]] = {
    "CLOCK_GOOD": HealthText(why="The clock is not behind what was recorded before."),
    "CLOCK_BEHIND": HealthText(
        why="The clock is behind the newest entry of the journal, which is of %(at)s.",
        do="Set this machine’s clock, and keep it by a time server.",
    ),
    "ROOM_GOOD": HealthText(why="There is room on every disk: %(count)s MiB at least."),
    "ROOM_LOW": HealthText(
        why="Little room is left on the disk of %(subject)s: %(count)s MiB. A node that cannot write stops.", do="Free some space."
    ),
    "RECORDS_CHECKED": HealthText(why="All records were checked on %(at)s."),
    "RECORDS_NOT_CHECKED": HealthText(
        why="Nobody has checked all records lately.", do="Check them, or ask an auditor to.", command="exchange log fsck"
    ),
    "COPIES_LEFT": HealthText(
        why="What a migration left beside the database still holds what was erased since: %(subject)s.",
        do="Delete it once you trust the new version.",
    ),
    "CERTIFICATES_GOOD": HealthText(why="No certificate ends soon; the first does on %(at)s."),
    "CERTIFICATE_ENDS": HealthText(why="The certificate %(subject)s ends on %(at)s.", command=_RENEW),
    "CERTIFICATE_ENDED": HealthText(why="The certificate %(subject)s ended on %(at)s.", command=_RENEW),
    "CERTIFICATE_UNREADABLE": HealthText(why="The certificate %(subject)s cannot be read.", command=_RENEW),
    "KEYS_GOOD": HealthText(why="No key that is in use ends soon; the first does on %(at)s."),
    "KEY_ENDS": HealthText(why="The key in use for %(subject)s ends on %(at)s.", command=_KEY),
    "KEY_ENDED": HealthText(
        why="The key in use for %(subject)s is not in force since %(at)s: partners refuse what it signs.", command=_KEY
    ),
    "KEY_NOT_DESCRIBED": HealthText(
        why="The key in use for %(subject)s stands in no descriptor: partners refuse what it signs.", command=_DESCRIBE
    ),
    "DESCRIPTOR_GOOD": HealthText(why="This node’s next descriptor is due by %(at)s."),
    "DESCRIPTOR_DUE": HealthText(why="This node’s next descriptor is due by %(at)s, which is soon.", command=_DESCRIBE),
    "DESCRIPTOR_LATE": HealthText(why="This node’s next descriptor was due by %(at)s.", command=_DESCRIBE),
    "PARTNER_GOOD": HealthText(why="%(subject)s: connected in both directions."),
    "PARTNER_AWAY": HealthText(why="%(subject)s: not connected in both directions. Last receipt: %(at)s.", do=_CALL, command=_PARTNER),
    "PARTNER_SUSPENDED": HealthText(
        why="%(subject)s is suspended: what is for it waits.", command="exchange partner resume %(subject)s --reason …"
    ),
    "PARTNER_DESCRIPTOR_LATE": HealthText(why="The descriptor of %(subject)s was to be renewed by %(at)s.", do=_CALL),
    "PARTNER_KEY_ENDS": HealthText(why="Of %(subject)s, keys end by %(at)s and nothing follows them: %(count)s.", do=_CALL),
    "AGREEMENT_NONE": HealthText(
        why="With %(subject)s no agreement is in force: nothing is told to it.", command="exchange agreement template --with %(subject)s"
    ),
    "AGREEMENT_ENDS": HealthText(
        why="The last agreement with %(subject)s ends on %(at)s.", do="Propose the next one.", command="exchange agreement list"
    ),
    "AGREEMENT_OFFERED": HealthText(
        why="An agreement that %(subject)s proposed waits for your answer.",
        do="Read it, then accept it.",
        command="exchange agreement list",
    ),
    "STATEMENT_WAITS": HealthText(
        why="Agreements or ends of logs that %(subject)s has not taken yet: %(count)s.", do=_CALL, command=_PARTNER
    ),
    "DELIVERY_WAITS": HealthText(
        why="Entries for %(subject)s without a receipt: %(count)s. Last tried: %(at)s.", do=_CALL, command=_PARTNER
    ),
    "RECALL_WAITS": HealthText(
        why="Recalls that %(subject)s could not be told, because the log is stopped: %(count)s.",
        do="Mend the log at once.",
        command="exchange log list",
    ),
    "LOG_STOPPED": HealthText(
        why="The log %(subject)s is stopped: nothing more is signed in it.", do=_RUNBOOK, command="exchange log recover %(subject)s"
    ),
    "ALARM": HealthText(why="The alarm %(subject)s stands since %(at)s.", do=_RUNBOOK, command="exchange work list"),
    "WITNESSES_GOOD": HealthText(why="Witnesses cosigned the journal: %(count)s. The last one to: %(at)s."),
    "WITNESSES_NONE": HealthText(why="Nobody witnesses this node’s journal.", do="Name witnesses in node.toml: [witness]."),
    "WITNESS_SILENT": HealthText(
        why="The witness %(subject)s has not cosigned the journal since %(at)s.", command="exchange audit witness status"
    ),
    "NOTICES_GOOD": HealthText(why="The office is told by mail or webhook of what needs somebody."),
    "NOTICES_NONE": HealthText(
        why="Nobody is told by mail or webhook of what needs somebody.", do="Set up [notices] in node.toml, and start the node again."
    ),
    "NOTICES_UNDELIVERED": HealthText(
        why="Notices by %(subject)s that were not taken: %(count)s. Last tried: %(at)s.", do="Look at that server, and at the node’s log."
    ),
    "RETENTION_GOOD": HealthText(why="Nothing is past its limit."),
    "RETENTION_PAST": HealthText(
        why="Past their limit and not erased yet: %(count)s.",
        do="The node erases each minute. If this stays, look into its log.",
        command="exchange retention run",
    ),
    "POLICY_GOOD": HealthText(why="The policy pack holds until %(at)s."),
    "POLICY_NONE": HealthText(why="No policy pack: agreements alone decide what is told.", do="Ask the authority that issues it."),
    "POLICY_ENDS": HealthText(why="The policy pack ends on %(at)s; then nothing is told.", do="Ask the authority that issues it."),
    "ASSESSMENT_ENDS": HealthText(
        why="The transfer assessment for %(subject)s is to be reviewed by %(at)s.",
        do="Remind the liaison officers.",
        command="exchange assessment list",
    ),
    "OFFICERS_GOOD": HealthText(why="Administrators: %(count)s."),
    "ADMINISTRATOR_ALONE": HealthText(
        why="There is one administrator only.", do="Add a second one to [[officers]] in node.toml, and start the node again."
    ),
    "OFFICER_LEFT": HealthText(
        why="Somebody left the roster and still has a passkey. It opens nothing.", do="Take it away.", command="exchange officer list"
    ),
}


def english_texts() -> Iterator[str]:
    """Every sentence."""
    for text in TEXTS.values():
        yield text.why
        if text.do:
            yield text.do

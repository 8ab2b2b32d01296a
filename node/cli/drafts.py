"""Alert files as drafts for the desk: read, given an id that makes asking again harmless, and packed into messages."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from node.cli.errors import USAGE, Trouble

if TYPE_CHECKING:
    from exchange.v1.desk_service_pb2 import Draft, Problem

BATCH_DRAFTS: Final = 64
BATCH_BYTES: Final = 512 * 1024
"""Of drafts in one message: well below what the desk listener takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDraft:
    """One alert file, read."""

    path: Path
    draft: "Draft" = field(repr=False)
    problems: "tuple[Problem, ...]"


class Agency(click.ParamType[str]):
    """The SPIFFE ID of an agency, of which `spiffe://` may be left out."""

    name = "agency"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the id; fails as a usage error that shows what one looks like."""
        from exchange.v1.desk_service_pb2 import Problem
        from node.intake.alert_file import read_agency

        agency = read_agency(value, "")
        if isinstance(agency, Problem):
            self.fail("write an agency as spiffe://kh.alerts.example/agency/gdi", param, ctx)
        return agency


DESPITE = click.option(
    "--despite-duplicate",
    "despite",
    multiple=True,
    metavar="REF",
    help="Release although that other alert is about the same person: its id or digest, or the agency that was asked. Journalled.",
)
"""Of every verb that releases a new alert, or shows what would be released."""
FOR_APPROVAL = click.option("--for-approval", is_flag=True, help="Let it wait for a second officer: exchange approval give …")
"""Of verbs that tell something else than a new alert."""


def read_drafts(
    paths: Sequence[Path],
    recipients: Sequence[str],
    *,
    today: date,
    salt: bytes,
    step: Callable[[int], None],
    despite: Sequence[str] = (),
) -> list[FileDraft]:
    """Read every file; `recipients`, if any, replace those that the files name. `step` is told of each file.

    `despite` names other alerts about the same people, of which the officer knows.

    The request id is derived from the file and its recipients, so that the same command again, after a lost connection,
    publishes nothing twice; `salt` is empty for that, and random where a second release is meant. Raises `Trouble` for a
    file that is not UTF-8 text.
    """
    from node.intake.alert_file import load_alert_file

    drafts = []
    for path in paths:
        content = path.read_bytes()
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            raise Trouble(USAGE, "DOCUMENT_ENCODING", f"{path} is not a text file.", next_step="Save it as UTF-8, and try again.") from None
        loaded = load_alert_file(text, name=path.name, today=today)
        if recipients:
            loaded.draft.recipients[:] = recipients
        loaded.draft.despite.extend(despite)
        agencies = [agency.encode() for agency in sorted(recipients)]
        loaded.draft.request_id = request_id(content, *agencies, salt)
        drafts.append(FileDraft(path=path, draft=loaded.draft, problems=loaded.problems))
        step(1)
    return drafts


def batches(drafts: Sequence[FileDraft]) -> Iterator[list[FileDraft]]:
    """Pack drafts into messages, in order: at most 64, and half a MiB unless one alone is larger."""
    batch: list[FileDraft] = []
    size = 0
    for item in drafts:
        added = item.draft.ByteSize()
        if batch and (len(batch) == BATCH_DRAFTS or size + added > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += added
    if batch:
        yield batch


def request_id(*parts: bytes) -> bytes:
    """Derive 16 bytes from what is asked, so that asking the same again has the same id."""
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.sha256(b"alert-exchange/v1 desk request\0" + framed).digest()[:16]

"""What goes wrong, told to a person: what happened, why, and what to do next; and the exit code that a script reads.

| code | meaning |
|---|---|
| 0 | success |
| 1 | unexpected: a defect of this program |
| 2 | usage: the command, a file or the configuration is wrong |
| 3 | refused by policy |
| 4 | verification failed |
| 5 | unreachable, or no answer in time |
| 6 | not permitted |
| 130 | interrupted with Ctrl-C |

No text here repeats what a node or a file said about a person: only codes and our own words.
"""

import sys
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Refused, Unverified

if TYPE_CHECKING:
    import grpc

SUCCESS: Final = 0
UNEXPECTED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3
VERIFICATION_FAILED: Final = 4
UNREACHABLE: Final = 5
NOT_PERMITTED: Final = 6
INTERRUPTED: Final = 130

ERROR_DOMAIN: Final = "alert-exchange"
"""The `domain` of the `google.rpc.ErrorInfo` that a node sends."""

_BY_STATUS: Final = {
    "INVALID_ARGUMENT": USAGE,
    "OUT_OF_RANGE": USAGE,
    "FAILED_PRECONDITION": REFUSED,
    "ABORTED": REFUSED,
    "ALREADY_EXISTS": REFUSED,
    "NOT_FOUND": REFUSED,
    "RESOURCE_EXHAUSTED": REFUSED,
    "DATA_LOSS": VERIFICATION_FAILED,
    "PERMISSION_DENIED": NOT_PERMITTED,
    "UNAUTHENTICATED": NOT_PERMITTED,
    "UNAVAILABLE": UNREACHABLE,
    "DEADLINE_EXCEEDED": UNREACHABLE,
}
_NEXT: Final = {
    "INVALID_ARGUMENT": "Correct the command or the file, and try again.",
    "FAILED_PRECONDITION": "Do what is said above; where others must act first, ask your liaison officer or administrator.",
    "NOT_FOUND": "See the list (`exchange alert list`, `inbox list`, `partner list`…), and give more of the id.",
    "ABORTED": "See how it stands now (`list`, `show`), then decide again.",
    "DATA_LOSS": "Keep what you have, do not act on it, and tell your auditor.",
    "PERMISSION_DENIED": "Use the context of somebody with that role (`exchange whoami` shows yours).",
    "UNAUTHENTICATED": "Check that your certificate is the node's own and has not expired or been revoked.",
    "RESOURCE_EXHAUSTED": "Send less at once, or wait a little.",
}

_NEXT_OF_CODE: Final = {
    "PURPOSE_MISSING": "Name one: `exchange audit open ENTRY --purpose …`; --help lists them.",
    "REASON_MISSING": "Give one: --reason TEXT. It is kept sealed.",
    "NOT_RECEIPTED": "Wait until `exchange alert status ALERT` shows the receipt, then try again.",
    "PARTNER_UNKNOWN": "See `exchange partner list`; an administrator adds one: `exchange partner add DESCRIPTOR --fingerprint …`.",
    "PARTNER_SUSPENDED": "An administrator takes it up again: `exchange partner resume`.",
    "NOT_ALONE": "Nothing, if it can wait for its limit; otherwise the other agency decides with you.",
}
"""Where the status alone would send people the wrong way."""


class Trouble(Exception):
    """The end of a command that did not succeed. `happened`, `why` and `next_step` are sentences for people.

    `done` is what a script should know of what was achieved all the same, or of what is wrong in detail.
    """

    def __init__(
        self,
        exit_code: int,
        code: str,
        happened: str,
        *,
        why: str = "",
        next_step: str = "",
        done: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(happened)
        self.exit_code = exit_code
        self.code = code
        self.happened = happened
        self.why = why
        self.next_step = next_step
        self.done = done or {}


def sentence(text: str) -> str:
    """Write a rule's message, which begins small and ends without a stop, as a sentence."""
    return text and text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def from_exchange_error(error: ExchangeError) -> Trouble:
    """What a refusal of our own code means to whoever typed the command."""
    by_kind = (
        (Malformed, USAGE, "What was given cannot be read.", "INVALID_ARGUMENT"),
        (Unverified, VERIFICATION_FAILED, "The proof does not hold.", "DATA_LOSS"),
        (Refused, REFUSED, "This is refused.", ""),
        (Conflict, REFUSED, "This contradicts what is already there.", ""),
        (NotFound, REFUSED, "There is no such thing here.", ""),
    )
    for kind, exit_code, happened, status in by_kind:
        if isinstance(error, kind):
            return Trouble(exit_code, error.code, happened, why=sentence(str(error)), next_step=_NEXT.get(status, ""))
    return Trouble(UNEXPECTED, error.code, "Something unexpected happened.", why=sentence(str(error)))


def from_rpc_error(error: "grpc.Call", desk: str, seconds: float) -> Trouble:
    """What the failure of a call to the node's desk listener at `desk`, given `seconds`, means."""
    status = error.code().name
    if status == "DEADLINE_EXCEEDED":
        return Trouble(
            UNREACHABLE,
            "TIMEOUT",
            f"The node's desk at {desk} did not answer within {seconds:g} seconds.",
            why="The node is busy or stopped, or the network holds the answer back.",
            next_step="Look at what stands before trying again: the node may have done it. Or allow more time: --timeout.",
        )
    reason = _reason(error)
    if status == "UNAVAILABLE" and reason:
        return Trouble(
            UNREACHABLE,
            reason,
            "The partner's node cannot be reached.",
            why=sentence(error.details() or ""),
            next_step="Try again later; if it stays so, ask the partner whether its node runs.",
        )
    if status == "UNAVAILABLE":
        return _unavailable(error, desk)
    exit_code = _BY_STATUS.get(status, UNEXPECTED)
    if not reason and exit_code != UNEXPECTED:
        reason = status
    happened = {
        USAGE: "The node cannot read what was asked.",
        REFUSED: "The node refused this.",
        VERIFICATION_FAILED: "The node found a proof that does not hold.",
        NOT_PERMITTED: "You are not permitted to do this.",
        UNEXPECTED: "The node met an unexpected fault.",
    }[exit_code]
    if exit_code == UNEXPECTED:
        return Trouble(exit_code, reason or status, happened, next_step="Ask the administrator to look into the node's own log.")
    next_step = _NEXT_OF_CODE.get(reason) or _NEXT.get(status, "")
    return Trouble(exit_code, reason, happened, why=sentence(error.details() or ""), next_step=next_step)


def from_defect(error: BaseException) -> Trouble:
    """Describe a defect of ours: its kind and its place, never its text, which may hold what must not be shown."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return Trouble(
        UNEXPECTED,
        "UNEXPECTED",
        "Something unexpected happened.",
        why=f"A defect of this program: {type(error).__name__}{place}.",
        next_step="Please report it, with the command but without its data.",
    )


def trouble_of(error: BaseException, desk: str, seconds: float) -> Trouble:
    """Whatever ended a command, as what a person is told."""
    if isinstance(error, Trouble):
        return error
    if isinstance(error, ExchangeError):
        return from_exchange_error(error)
    # Importing gRPC only to ask would make every command slow.
    grpc_module = sys.modules.get("grpc")
    if grpc_module is not None and isinstance(error, grpc_module.RpcError):
        return from_rpc_error(error, desk, seconds)
    return from_defect(error)


def _unavailable(call: "grpc.Call", desk: str) -> Trouble:
    details = (call.details() or "").lower()
    if "ssl" in details or "tls" in details or "handshake" in details or "certificate" in details:
        return Trouble(
            UNREACHABLE,
            "TLS",
            f"The node's desk at {desk} and you do not accept each other's certificates.",
            why="Its certificate is not one of your node's office authority, or one of the two has expired.",
            next_step="Check the context file (ca, server_name), the clock, and the dates of both certificates.",
        )
    return Trouble(
        UNREACHABLE,
        "UNREACHABLE",
        f"The node's desk at {desk} cannot be reached.",
        why="Nothing answers there, or the connection was lost or refused.",
        next_step="Check that the node runs (`exchange node run --config …`) and that the context names its address.",
    )


def _reason(error: "grpc.Call") -> str:
    """Read the stable code from `grpc-status-details-bin` (google.rpc.Status, AIP-193); empty if there is none."""
    from google.protobuf.message import DecodeError
    from google.rpc import error_details_pb2, status_pb2

    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin" or not isinstance(value, bytes):
            continue
        status, info = status_pb2.Status(), error_details_pb2.ErrorInfo()
        try:
            status.ParseFromString(value)
        except DecodeError:
            return ""
        for detail in status.details:
            if detail.Unpack(info) and info.domain == ERROR_DOMAIN:
                return str(info.reason)
    return ""

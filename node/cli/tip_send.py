"""`exchange tip send` and `ask`: an NGO's side, over HTTPS with its own certificate. For tries, tests and small programs of NGOs."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import click

from node.cli.command import Verb
from node.cli.context import settings
from node.cli.errors import NOT_PERMITTED, REFUSED, UNEXPECTED, UNREACHABLE, USAGE, Trouble, sentence
from node.cli.output import facts, heading, note, show
from node.short_words import words

if TYPE_CHECKING:
    from rich.console import Console

_FILE: Final = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_EXIT: Final = {400: USAGE, 422: USAGE, 413: USAGE, 415: USAGE, 403: NOT_PERMITTED, 404: REFUSED, 409: REFUSED, 408: UNREACHABLE}
_EXIT_LATER: Final = {429: UNREACHABLE, 503: UNREACHABLE}
_LARGEST_ANSWER: Final = 256 * 1024

Command = TypeVar("Command", bound=Callable[..., Any])


def _line(command: Command) -> Command:
    for option in (
        click.option("--ca", required=True, type=_FILE, help="The authority that the node issues to NGOs under."),
        click.option("--key", required=True, type=_FILE, help="Your private key."),
        click.option("--cert", required=True, type=_FILE, help="Your certificate."),
        click.option("--url", required=True, metavar="URL", help="Of the node's listener, e.g. https://127.0.0.1:7446"),
    ):
        command = option(command)
    return command


@click.command(cls=Verb)
@click.argument("file", type=_FILE)
@_line
@click.option("--id", "tip_id", metavar="UUID", help="Under which it is saved; left out, one that follows from FILE.")
@click.option("--save-only", is_flag=True, help="Save it, and do not submit it yet.")
def send(file: Path, url: str, cert: Path, key: Path, ca: Path, tip_id: str | None, save_only: bool) -> None:  # noqa: FBT001  click calls it
    """As an NGO: save the tip in FILE (YAML or JSON) at a node, and submit it. The same FILE again is the same tip."""
    from node.intake.plain_document import read_document

    content = file.read_bytes()
    try:
        document = read_document(content.decode("utf-8"), name=file.name)
    except UnicodeDecodeError:
        raise Trouble(USAGE, "DOCUMENT_ENCODING", f"{file} is not a text file.", next_step="Save it as UTF-8, and try again.") from None
    line = _Line(url, cert, key, ca)
    name = tip_id or _id_of(content, line.server)
    body = json.dumps(document, ensure_ascii=False).encode()
    answer = line.ask("PUT", f"/v1/tips/{name}", body)
    if not save_only:
        # Once it is submitted the answer says what is missing too; whom to call now stands in both.
        answer = line.ask("POST", f"/v1/tips/{name}/submit")
    show(answer, lambda console: _draw(console, answer))


@click.command("ask", cls=Verb)
@click.argument("tip_id", metavar="UUID")
@_line
def ask_(tip_id: str, url: str, cert: Path, key: Path, ca: Path) -> None:
    """As an NGO: ask what became of the tip of that UUID."""
    answer = _Line(url, cert, key, ca).ask("GET", f"/v1/tips/{tip_id}")
    show(answer, lambda console: _draw(console, answer))


class _Line:
    """One NGO's way to one node."""

    def __init__(self, url: str, cert: Path, key: Path, ca: Path) -> None:
        import ssl

        from node.keys.files import read_certificate, read_private_key
        from node.tls import party_of

        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.path not in {"", "/"} or parts.query:
            raise Trouble(USAGE, "URL", "The address of the node cannot be used.", next_step="Write it as https://host:port")
        self._host, self._port = parts.hostname, parts.port or 443
        read_private_key(key)  # refuses a key that others can read
        self.server = f"tips.{party_of(read_certificate(cert)).trust_domain}"
        """Whom the node must prove to be: the listener of the country that issued the certificate, whatever its address."""
        context = ssl.create_default_context(cafile=str(ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        try:
            context.load_cert_chain(cert, key)
        except ssl.SSLError:
            raise Trouble(USAGE, "TLS_KEY_MISMATCH", "The key is not that of the certificate.", next_step="Name a pair.") from None
        self._context = context

    def ask(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        """One request. Raises `Trouble` for whatever is not an answer."""
        import http.client
        import socket

        try:
            raw = socket.create_connection((self._host, self._port), timeout=settings().timeout)
            connection = http.client.HTTPConnection(self._host, self._port)
            connection.sock = self._context.wrap_socket(raw, server_hostname=self.server)
            try:
                connection.request(method, path, body=body, headers={"Content-Type": "application/json"} if body is not None else {})
                response = connection.getresponse()
                status, content = response.status, response.read(_LARGEST_ANSWER)
            finally:
                connection.close()
            document = json.loads(content)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Trouble(
                UNREACHABLE,
                "UNREACHABLE",
                f"The node at {self._host}:{self._port} cannot be reached, or does not accept your certificate.",
                why=f"{type(error).__name__}.",
                next_step="Check address, certificate, key and ca, and the dates of both. If a child is in danger, call the police.",
            ) from None
        if not isinstance(document, dict) or status not in {200, 201}:
            raise _refused(status, document if isinstance(document, dict) else {})
        return document


def _refused(status: int, document: dict[str, Any]) -> Trouble:
    problems = document.get("problems") or []
    listed = "\n".join(f"{one.get('field') or 'the whole'}: {one.get('message')}; {one.get('remedy')}" for one in problems)
    return Trouble(
        {**_EXIT, **_EXIT_LATER}.get(status, UNEXPECTED),
        str(document.get("code", "ANSWER")),
        "The node did not take this.",
        why=listed or sentence(str(document.get("detail", ""))),
        next_step="Mend it, and send it again. If a child is in danger, call the police now.",
        done={"problems": problems},
    )


def _id_of(content: bytes, server: str) -> str:
    """A UUID version 8 (RFC 9562 section 5.8) that follows from the file and the node: so sending again sends nothing twice."""
    from exchange.values import format_uuid

    raw = bytearray(hashlib.sha256(b"alert-exchange/v1 tip id\0" + server.encode() + b"\0" + content).digest()[:16])
    raw[6] = (raw[6] & 0x0F) | 0x80
    raw[8] = (raw[8] & 0x3F) | 0x80
    return format_uuid(bytes(raw))


def _draw(console: "Console", answer: dict[str, Any]) -> None:
    calls = [f"{one['name']}: {one['channel']}" for one in answer["call_now"]]
    complete = answer.get("completeness")
    rows = [
        ("reference", answer["reference"]),
        ("state", words(answer["state"])),
        ("call now", "\n".join(calls)),
        ("abroad", ", ".join(words(state) for state in answer["abroad"])),
        ("complete", f"{complete['score']} of 100" if complete else ""),
        ("id", answer["id"]),
    ]
    console.print(facts(rows))
    if answer["safeguarding_requests"]:
        console.print(heading("The desk asks you"))
        console.print(facts((one["requested_at"], one["text"]) for one in answer["safeguarding_requests"]))
    if complete and complete["missing"]:
        console.print(heading("What would help"))
        console.print(facts((one["field"], one["ask"]) for one in complete["missing"]))
        console.print(note("\nNone of it must be known: what you have sent is with the desk once it is submitted."))

"""A form with one file (RFC 7578), read as strictly as browsers write it. Only a page that says so takes one; see `visits.read_form`."""

import asyncio
import re
from collections.abc import Iterator
from typing import Final

from starlette.requests import ClientDisconnect, Request

from exchange.errors import Malformed
from node.console.visits import FORM, no_form, read_form

LARGEST_UPLOAD: Final = 1024 * 1024
"""Bytes of the whole form."""
UPLOAD_SECONDS: Final = 60.0
"""A list from a poor line takes longer than the words of a form, and whoever sends it is signed in."""
_FIELDS_AT_MOST: Final = 20
_KIND: Final = re.compile(r"""multipart/form-data; *boundary=("?)([0-9A-Za-z'()+_,./:=?-]{1,70})\1""")
_DISPOSITION: Final = re.compile(rb'content-disposition: *form-data; *name="([a-z_]{1,40})"(; *filename="[^"\r\n]*")?', re.IGNORECASE)
_TYPE: Final = re.compile(rb"content-type: *[!-~][ -~]*", re.IGNORECASE)


async def read_upload(request: Request, name: str, *, seconds: float = UPLOAD_SECONDS) -> tuple[dict[str, str], bytes]:
    """The fields of a form, each once, and the file of the field `name`, empty if there is none; what it is called is not looked at.

    Raises `Malformed` (FORM, UPLOAD_TOO_LARGE).
    """
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() == FORM:
        return await read_form(request), b""
    found = _KIND.fullmatch(kind)
    if found is None:
        raise no_form()
    body = bytearray()
    length = 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                length += len(part)
                # Read to its end, and dropped: a browser that is cut off shows no answer.
                if length <= LARGEST_UPLOAD:
                    body += part
                else:
                    body.clear()
    except (TimeoutError, ClientDisconnect):
        raise no_form() from None
    if length > LARGEST_UPLOAD:
        raise Malformed("UPLOAD_TOO_LARGE", f"the form has more than {LARGEST_UPLOAD} bytes")
    return _read(bytes(body), found[2].encode(), name)


def _read(body: bytes, boundary: bytes, name: str) -> tuple[dict[str, str], bytes]:
    form: dict[str, str] = {}
    file: bytes | None = None
    for field, is_file, content in _parts(body, boundary):
        if field in form or (field == name and file is not None) or (is_file and field != name):
            raise no_form()
        if field == name and is_file:
            file = content
            continue
        try:
            form[field] = content.decode("utf-8")
        except UnicodeDecodeError:
            raise no_form() from None
    return form, file or b""


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bool, bytes]]:
    """Name, whether it is a file, and content of each part. Raises `Malformed` (FORM)."""
    first, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, _FIELDS_AT_MOST + 2)
    if first or not parts or parts.pop() not in {b"--", b"--\r\n"}:
        raise no_form()
    for part in parts:
        head, end, content = part.partition(b"\r\n\r\n")
        begin, *lines = head.split(b"\r\n")
        said = [found for line in lines if (found := _DISPOSITION.fullmatch(line))]
        if begin or not end or len(said) != 1 or not all(_DISPOSITION.fullmatch(line) or _TYPE.fullmatch(line) for line in lines):
            raise no_form()
        yield said[0][1].decode(), said[0][2] is not None, content

"""Reading the fingerprint that two people compared."""

import re

import click


class Fingerprint(click.ParamType[bytes]):
    """32 bytes as 64 hex digits, in any grouping by blanks, colons or hyphens."""

    name = "fingerprint"

    def convert(self, value: str | bytes, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """Read the digits; fails as a usage error that says how many there are."""
        if isinstance(value, bytes):
            return value
        digits = re.sub(r"[\s:-]", "", value).removeprefix("0x")
        if not re.fullmatch(r"[0-9A-Fa-f]*", digits) or len(digits) != 64:
            self.fail(f"a fingerprint is 64 hex digits; there are {len(digits)} characters here", param, ctx)
        return bytes.fromhex(digits)

"""Reading the fingerprint that two people compared."""

import click

from node.fingerprints import SIZE, read_bytes


class Fingerprint(click.ParamType[bytes]):
    """32 bytes as 64 hex digits or as 32 words, in any grouping by blanks, colons or hyphens."""

    name = "fingerprint"

    def convert(self, value: str | bytes, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """Read digits or words; fails as a usage error that says how many there are."""
        if isinstance(value, bytes):
            return value
        found = read_bytes(value, SIZE)
        if found is None:
            self.fail(
                f"a fingerprint is 64 hex digits, or its 32 words; there are {len(value.split())} words and {len(value)} characters here",
                param,
                ctx,
            )
        return found

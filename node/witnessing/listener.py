"""The HTTP server of the witness listener: plain HTTP, for everybody."""

from typing import Any

from node.httpd import HttpListener


class WitnessListener(HttpListener):
    """Binds when it is made to start, serves until it is stopped."""

    def __init__(self, address: str, application: Any) -> None:
        super().__init__(address, application, "witness")

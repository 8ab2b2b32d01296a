"""The HTTPS server of the listener for NGOs: mutual TLS 1.3, under an authority of its own."""

import ssl
from typing import Any

from node.httpd import HttpListener


class TipListener(HttpListener):
    """Binds when it is made to start, serves until it is stopped."""

    def __init__(self, address: str, application: Any, tls: ssl.SSLContext) -> None:
        super().__init__(address, application, "tips", tls=tls)

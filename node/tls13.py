"""TLS 1.3 and nothing else, as server and as client: gRPC for Python has no setting for it, so its cipher list serves.

The list governs TLS 1.2 and below only. It names one suite that needs a pre-shared key which no node has, so TLS 1.2
can agree on nothing, whichever kind of certificate is shown (a list with an RSA suite would still admit a partner's RSA
leaf).

gRPC reads the variable once, when it is imported. So this file imports nothing of ours, and every program calls
`pin_tls13()` first.
"""

import os
import sys
from typing import Final

CIPHER_VARIABLE: Final = "GRPC_SSL_CIPHER_SUITES"
NO_TLS12_CIPHERS: Final = "ECDHE-PSK-CHACHA20-POLY1305"


def pin_tls13() -> None:
    """Leave gRPC only TLS 1.3. Call it before anything imports `grpc`; calling it again is harmless.

    Raises `RuntimeError` when grpc was imported while the variable held something else: it is then too late, and
    starting anyway would quietly admit TLS 1.2.
    """
    if os.environ.get(CIPHER_VARIABLE) == NO_TLS12_CIPHERS:
        return
    if "grpc" in sys.modules:
        raise RuntimeError("grpc was imported before node.tls13.pin_tls13() was called: TLS 1.2 could no longer be refused")
    os.environ[CIPHER_VARIABLE] = NO_TLS12_CIPHERS

"""An end to conversations with servers that answer a byte at a time: a timeout of a socket begins anew with each byte."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer


@contextmanager
def ends_within(seconds: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Cut the connection that stands after so many seconds; whoever reads from it then finds its end."""

    def cut() -> None:
        open_now = connection()
        if open_now is not None:
            with suppress(OSError):
                open_now.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

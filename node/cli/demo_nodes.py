"""Starting and stopping real nodes for the demo, each a process of its own, as `exchange node run` starts them."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from node.cli.errors import UNEXPECTED, Trouble

_READY_SECONDS = 90.0
_LOWEST_PORT, _PORTS = 20_000, 12_000


def free_port_pair() -> int:
    """A port on the loopback address that is free together with the three after it: for partners, officers, witnesses, browsers.

    Below the ports that systems give to clients, so that no connection made in the meantime takes it, and a node that does not listen
    yet is never mistaken for one that does (a client that is given the very port that it calls connects to itself).
    """
    from node.system import jitter

    for _ in range(50):
        port = _LOWEST_PORT + 4 * int(jitter() * (_PORTS // 4 - 1))
        with ExitStack() as opened:
            try:
                for place in range(4):
                    opened.enter_context(socket.socket()).bind(("127.0.0.1", port + place))
            except OSError:
                continue
        return port
    raise Trouble(UNEXPECTED, "NO_PORTS", "No four neighbouring ports are free on this machine.", next_step="Stop other servers first.")


class NodeProcess:
    """One node in a process of its own; its log goes to `<directory>/node.log`. `console` is where it serves browsers, if it does."""

    def __init__(self, directory: Path, console: str = "") -> None:
        self.directory = directory
        self._asked = False
        self._log = (directory / "node.log").open("ab")
        command = [sys.executable, "-m", "node.cli.main", "node", "run", "--config", str(directory / "node.toml")]
        environment = {**os.environ, **({"EXCHANGE_CONSOLE_LISTEN": console} if console else {})}
        self._process = subprocess.Popen(  # noqa: S603  our own program
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True, env=environment
        )

    def wait_until_listening(self, address: str) -> None:
        """Return when the node answers on `address` (host:port); raises `Trouble` (NODE_NOT_STARTED)."""
        host, _, port = address.rpartition(":")
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise Trouble(
            UNEXPECTED,
            "NODE_NOT_STARTED",
            "A node of the demo did not start.",
            next_step=f"Its log says why: {self.directory / 'node.log'}",
        )

    def ask_to_stop(self) -> None:
        """Let the process end by itself, and do not wait for it."""
        if self._process.poll() is None and not self._asked:
            self._asked = True
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End the process gracefully, and wait for it."""
        self.ask_to_stop()
        if self._process.poll() is None:
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()

    def wait(self) -> None:
        """Wait until the process ends by itself."""
        self._process.wait()

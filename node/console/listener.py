"""The server of the console: HTTPS with the certificate of the officers' door, or plain HTTP on a training machine."""

from concurrent.futures import Future
from typing import Final, Protocol

from cryptography import x509

from exchange.errors import NotFound, Refused
from exchange.v1.desk_service_pb2 import PublishedAlert
from exchange.v1.people_pb2 import ContactDesk
from node.config import Config
from node.console.assets import load_assets
from node.console.service import Console
from node.console.site import Connect, Site
from node.httpd import HttpListener, server_tls13
from node.oidc import Issuer
from node.operations.release import NotReleased, Prepared
from node.operations.watchlist import Watchlists
from node.ports import Ports
from node.telemetry.logging import logger

KIND: Final = "console"


class Sequencing(Protocol):
    """Whoever gives releases their place in the logs."""

    def submit(self, items: list[Prepared | NotReleased]) -> Future[list[PublishedAlert]]:
        """Queue releases; the future holds their answers, in order, once they are durable."""
        ...


def console_listener(
    config: Config, ports: Ports, sequencer: Sequencing, connect: Connect, watchlists: Watchlists, issuer: Issuer | None = None
) -> HttpListener | None:
    """The listener, if the configuration has one and its assets were built; a node without them says so and runs on.

    Raises `Refused` (CONSOLE_HOST): no browser would believe the certificate. `Malformed` (TLS_MATERIAL).
    """
    section = config.console
    if not section.listen:
        return None
    try:
        assets = load_assets()
    except NotFound as absent:
        logger().warning("this node runs without its console", code=absent.code, kind=KIND)
        return None
    secure = not section.plain
    site = Site(
        ports=ports,
        host=section.host,
        port=int(section.listen.rpartition(":")[2]),
        zone=section.zone,
        secure=secure,
        demo_sign_in=section.demo_sign_in,
        desks={str(one.id): ContactDesk(unit=one.name, channel=one.desk) for one in config.agencies if one.desk},
        release_together=lambda items: sequencer.submit(list(items)).result(),
        connect=connect,
        watchlists=watchlists,
        issuer=issuer,
        language=config.node.languages[0].partition("-")[0] if config.node.languages else "en",
    )
    context = server_tls13(config.tls.desk_certificate, config.tls.desk_key) if secure else None
    if secure:
        _check_name(config.tls.desk_certificate.read_bytes(), section.host)
    return HttpListener(section.listen, Console(site, assets).application(), KIND, tls=context)


def _check_name(certificate: bytes, host: str) -> None:
    try:
        names = x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    if host not in names.get_values_for_type(x509.DNSName):
        raise Refused("CONSOLE_HOST", "the certificate of the desk is not for console.host: issue one that has both names")

"""The OpenID Connect issuer that a configuration names, with the secret and the authorities that stand in files."""

import os
import ssl
from pathlib import Path

from exchange.errors import Malformed, NotFound, Refused
from node.links.issuer_link import IssuerLink
from node.oidc import Client
from node.oidc_section import OidcSection


def open_issuer(section: OidcSection) -> IssuerLink | None:
    """The issuer, if there is one; it is not asked yet.

    Raises `NotFound` (OIDC_FILE), `Malformed` (OIDC_FILE), `Refused` (SECRET_FILE_MODE: others than its owner could read the secret).
    """
    if not section.issuer:
        return None
    client = Client(
        issuer=section.issuer,
        client_id=section.client_id,
        claim=section.claim,
        acr=section.acr,
        amr=section.amr,
        max_age=section.max_age_minutes * 60,
    )
    secret = _secret(section.client_secret_file) if section.client_secret_file else ""
    try:
        context = ssl.create_default_context(cafile=str(section.authorities) if section.authorities else None)
    except OSError:  # also `ssl.SSLError`
        raise NotFound("OIDC_FILE", "oidc.authorities names no file of certificates") from None
    return IssuerLink(client, secret, context)


def _secret(path: Path) -> str:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise Refused("SECRET_FILE_MODE", "the file oidc.client_secret_file is open to others: chmod 600")
            found = file.read(4096).decode("ascii").strip()
    except OSError:
        raise NotFound("OIDC_FILE", "the file oidc.client_secret_file cannot be read") from None
    except UnicodeDecodeError:
        raise Malformed("OIDC_FILE", "the file oidc.client_secret_file is no text") from None
    if not found:
        raise Malformed("OIDC_FILE", "the file oidc.client_secret_file is empty")
    return found

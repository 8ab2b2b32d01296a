"""The two listeners of a node: one for partners' nodes, one for its own officers. Each has its own authority and its own service."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from exchange.errors import Refused
from exchange.v1 import (
    audit_service_pb2_grpc,
    desk_service_pb2,
    desk_service_pb2_grpc,
    exchange_service_pb2,
    exchange_service_pb2_grpc,
)
from node.limits import SERVER_OPTIONS
from node.telemetry.logging import logger
from node.tls import TlsMaterial, server_credentials

_PARTNER_CALLS = 96
"""Threads for partners: each living stream holds one, and partners number in tens."""
_DESK_CALLS = 32


class Listener:
    """One gRPC server with its health service."""

    def __init__(self, address: str, fetch: Callable[[], TlsMaterial], calls: int, service: str) -> None:
        self._address = address
        self._service = service
        self._health = health.HealthServicer()
        self.server = grpc.server(
            ThreadPoolExecutor(max_workers=calls, thread_name_prefix=service.rsplit(".", 1)[-1]), options=SERVER_OPTIONS
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.server)
        self._credentials = server_credentials(fetch, report=_report)

    def start(self) -> None:
        """Bind and serve. Raises `Refused` (ADDRESS_IN_USE)."""
        try:
            bound = self.server.add_secure_port(self._address, self._credentials)
        except RuntimeError:
            bound = 0
        if not bound:
            raise Refused("ADDRESS_IN_USE", "the listener cannot bind its address: another program holds it, or it is not ours")
        self.server.start()
        for service in ("", self._service):
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        logger().info("listening", address=self._address, kind=self._service)

    def stop(self, grace_seconds: float) -> None:
        """Say that we are going, take no new calls, let the running ones end, then cut what remains."""
        self._health.enter_graceful_shutdown()
        self.server.stop(grace_seconds).wait()


def partner_listener(address: str, fetch: Callable[[], TlsMaterial], service: Any) -> Listener:
    """The door for partners' nodes."""
    listener = Listener(address, fetch, _PARTNER_CALLS, exchange_service_pb2.DESCRIPTOR.services_by_name["ExchangeService"].full_name)
    exchange_service_pb2_grpc.add_ExchangeServiceServicer_to_server(service, listener.server)
    return listener


def desk_listener(address: str, fetch: Callable[[], TlsMaterial], service: Any, audit_service: Any) -> Listener:
    """The door for this country's officers and auditors."""
    listener = Listener(address, fetch, _DESK_CALLS, desk_service_pb2.DESCRIPTOR.services_by_name["DeskService"].full_name)
    desk_service_pb2_grpc.add_DeskServiceServicer_to_server(service, listener.server)
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(audit_service, listener.server)
    return listener


def _report(error: Exception) -> None:
    logger().error("TLS files not taken", error=type(error).__name__)

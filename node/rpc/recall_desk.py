"""The part of the desk's door about alerts after their release: each method proves the caller and calls one operation."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

import grpc

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import desk_service_pb2_grpc
from node.operations import attest, reached, recall, replace, supplement
from node.operations.release import NotReleased, Prepared
from node.ports import Ports
from node.rpc.identity import DeskDoor
from node.rpc.status import answered


class Sequencing(Protocol):
    """Whoever gives releases their place in the logs."""

    def submit(self, items: Sequence[Prepared | NotReleased]) -> Future[list[messages.PublishedAlert]]:
        """Queue releases; the future holds their answers, in order, once they are durable."""
        ...

    def publish(self, person: str, request: messages.PublishAlertsRequest) -> Future[list[messages.PublishedAlert]]:
        """Queue drafts that `person` wants to release; the future as for `submit`, or what making them ready raised."""
        ...


class RecallDesk(desk_service_pb2_grpc.DeskServiceServicer):
    """Methods of `exchange.v1.DeskService`."""

    _ports: Ports
    _door: DeskDoor
    _sequencer: Sequencing

    @answered(explain=True)
    def GetReach(self, request: messages.GetReachRequest, context: grpc.ServicerContext) -> messages.GetReachResponse:
        """Everybody who was ever told of an alert."""
        return reached.get_reach(self._ports, self._door.admit(context), request.alert)

    @answered(explain=True)
    def RecallAlert(self, request: messages.RecallAlertRequest, context: grpc.ServicerContext) -> messages.RecallAlertResponse:
        """Withdraw or restrict an alert, or lift a restriction."""
        return recall.recall_alert(self._ports, self._door.admit(context), request, self._release_together)

    @answered(explain=True)
    def ReplaceAlert(self, request: messages.ReplaceAlertRequest, context: grpc.ServicerContext) -> messages.ReplaceAlertResponse:
        """Update or correct an alert."""
        return replace.replace_alert(self._ports, self._door.admit(context), request, self._release_together)

    @answered(explain=True)
    def SupplementAlert(self, request: messages.SupplementAlertRequest, context: grpc.ServicerContext) -> messages.SupplementAlertResponse:
        """Tell one agency more of an alert."""
        return supplement.supplement_alert(self._ports, self._door.admit(context), request, self._release_together)

    @answered(explain=True)
    def AttestPurge(self, request: messages.AttestPurgeRequest, context: grpc.ServicerContext) -> messages.AttestPurgeResponse:
        """Attest the purge of a withdrawn alert."""
        return attest.attest_purge(self._ports, self._door.admit(context), request, self._release_together)

    def _release_together(self, items: Sequence[Prepared | NotReleased]) -> list[messages.PublishedAlert]:
        return self._sequencer.submit(items).result()

"""The part of the desk's door about passing on: each method proves the caller and calls one operation."""

from collections.abc import Sequence

import grpc

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import desk_service_pb2_grpc
from node.operations import onward_decide, onward_list, onward_release, onward_request
from node.operations.release import NotReleased, Prepared
from node.ports import Ports
from node.rpc.identity import DeskDoor
from node.rpc.recall_desk import Sequencing
from node.rpc.status import answered


class OnwardDesk(desk_service_pb2_grpc.DeskServiceServicer):
    """Methods of `exchange.v1.DeskService`."""

    _ports: Ports
    _door: DeskDoor
    _sequencer: Sequencing

    @answered(explain=True)
    def RequestOnward(self, request: messages.RequestOnwardRequest, context: grpc.ServicerContext) -> messages.RequestOnwardResponse:
        """Ask the originator for leave."""
        published = onward_request.request_onward(self._ports, self._door.admit(context), request, self._release_one)
        return messages.RequestOnwardResponse(published=published)

    @answered(explain=True)
    def ListOnward(self, _request: messages.ListOnwardRequest, context: grpc.ServicerContext) -> messages.ListOnwardResponse:
        """Requests of the caller's agency and to it."""
        return onward_list.list_onward(self._ports, self._door.admit(context))

    @answered(explain=True)
    def GetOnward(self, request: messages.GetOnwardRequest, context: grpc.ServicerContext) -> messages.GetOnwardResponse:
        """One request, and what became of it."""
        return onward_list.get_onward(self._ports, self._door.admit(context), request.request)

    @answered(explain=True)
    def DecideOnward(self, request: messages.DecideOnwardRequest, context: grpc.ServicerContext) -> messages.DecideOnwardResponse:
        """Grant or deny a request."""
        return onward_decide.decide_onward(self._ports, self._door.admit(context), request, self._release_one)

    @answered(explain=True)
    def ReleaseOnward(self, request: messages.ReleaseOnwardRequest, context: grpc.ServicerContext) -> messages.ReleaseOnwardResponse:
        """Pass an alert on under its permit."""
        return onward_release.release_onward(self._ports, self._door.admit(context), request, self._release_all)

    def _release_one(self, item: Prepared | NotReleased) -> messages.PublishedAlert:
        (published,) = self._release_all([item])
        return published

    def _release_all(self, items: Sequence[Prepared | NotReleased]) -> list[messages.PublishedAlert]:
        return self._sequencer.submit(items).result()

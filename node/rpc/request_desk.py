"""The part of the desk's door about questions with a clock, and about alerts that were read: each method calls one operation."""

import grpc

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import desk_service_pb2_grpc
from node.operations import acknowledge, requests
from node.operations.release import NotReleased, Prepared
from node.ports import Ports
from node.rpc.identity import DeskDoor
from node.rpc.recall_desk import Sequencing
from node.rpc.status import answered


class RequestDesk(desk_service_pb2_grpc.DeskServiceServicer):
    """Methods of `exchange.v1.DeskService`."""

    _ports: Ports
    _door: DeskDoor
    _sequencer: Sequencing

    @answered(explain=True)
    def AcknowledgeAlert(
        self, request: messages.AcknowledgeAlertRequest, context: grpc.ServicerContext
    ) -> messages.AcknowledgeAlertResponse:
        """Tell the originator that a person has read its alert."""
        published = acknowledge.acknowledge(self._ports, self._door.admit(context), request, self._release_one)
        return messages.AcknowledgeAlertResponse(published=published)

    @answered(explain=True)
    def ListRequests(self, request: messages.ListRequestsRequest, context: grpc.ServicerContext) -> messages.ListRequestsResponse:
        """Questions asked and received, what is due first first."""
        return requests.list_requests(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def GetRequest(self, request: messages.GetRequestRequest, context: grpc.ServicerContext) -> messages.GetRequestResponse:
        """How one question stands."""
        return requests.get_request(self._ports, self._door.admit(context), request.request)

    @answered(explain=True)
    def AnswerRequest(self, request: messages.AnswerRequestRequest, context: grpc.ServicerContext) -> messages.AnswerRequestResponse:
        """Answer a question."""
        published = requests.answer_request(self._ports, self._door.admit(context), request, self._release_one)
        return messages.AnswerRequestResponse(published=published)

    @answered(explain=True)
    def RefuseRequest(self, request: messages.RefuseRequestRequest, context: grpc.ServicerContext) -> messages.RefuseRequestResponse:
        """Refuse to answer a question."""
        published = requests.refuse_request(self._ports, self._door.admit(context), request, self._release_one)
        return messages.RefuseRequestResponse(published=published)

    @answered(explain=True)
    def SuspendRequest(self, request: messages.SuspendRequestRequest, context: grpc.ServicerContext) -> messages.SuspendRequestResponse:
        """Stop the clock of a question, or start it again."""
        published = requests.suspend_request(self._ports, self._door.admit(context), request, self._release_one)
        return messages.SuspendRequestResponse(published=published)

    def _release_one(self, item: Prepared | NotReleased) -> messages.PublishedAlert:
        (published,) = self._sequencer.submit([item]).result()
        return published

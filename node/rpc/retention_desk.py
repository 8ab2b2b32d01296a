"""The part of the desk's door about retention, erasure and who was told of a person: each method proves the caller, calls one operation."""

import grpc

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import desk_service_pb2_grpc
from node.operations import erasure_proof, recipients, retention
from node.ports import Ports
from node.rpc.identity import DeskDoor
from node.rpc.status import answered


class RetentionDesk(desk_service_pb2_grpc.DeskServiceServicer):
    """Methods of `exchange.v1.DeskService`."""

    _ports: Ports
    _door: DeskDoor

    @answered(explain=True)
    def ListRetention(self, request: messages.ListRetentionRequest, context: grpc.ServicerContext) -> messages.ListRetentionResponse:
        """What is due for review or erasure."""
        return retention.list_due(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def RunRetention(self, request: messages.RunRetentionRequest, context: grpc.ServicerContext) -> messages.RunRetentionResponse:
        """Erase what is past its limit."""
        return retention.run(self._ports, self._door.admit(context), dry_run=request.dry_run)

    @answered(explain=True)
    def HoldAlert(self, request: messages.HoldAlertRequest, context: grpc.ServicerContext) -> messages.HoldAlertResponse:
        """Keep an alert beyond its limit."""
        held = retention.hold(self._ports, self._door.admit(context), request.alert, request.reason)
        return messages.HoldAlertResponse(retention=held)

    @answered(explain=True)
    def ReleaseHold(self, request: messages.ReleaseHoldRequest, context: grpc.ServicerContext) -> messages.ReleaseHoldResponse:
        """End a hold."""
        released = retention.release_hold(self._ports, self._door.admit(context), request.alert, request.reason)
        return messages.ReleaseHoldResponse(retention=released)

    @answered(explain=True)
    def ReviewRetention(self, request: messages.ReviewRetentionRequest, context: grpc.ServicerContext) -> messages.ReviewRetentionResponse:
        """Note that an alert is still needed."""
        reviewed = retention.review(self._ports, self._door.admit(context), request.alert, request.reason)
        return messages.ReviewRetentionResponse(retention=reviewed)

    @answered(explain=True)
    def EraseAlert(self, request: messages.EraseAlertRequest, context: grpc.ServicerContext) -> messages.EraseAlertResponse:
        """Erase an alert before its limit."""
        erased = retention.erase_early(self._ports, self._door.admit(context), request.alert, request.reason)
        return messages.EraseAlertResponse(retention=erased)

    @answered(explain=True)
    def GetErasureProof(self, request: messages.GetErasureProofRequest, context: grpc.ServicerContext) -> messages.GetErasureProofResponse:
        """That an alert was erased, and that everything else still holds."""
        return erasure_proof.prove_erasure(self._ports, self._door.admit(context), request.alert)

    @answered(explain=True)
    def FindRecipients(self, request: messages.FindRecipientsRequest, context: grpc.ServicerContext) -> messages.FindRecipientsResponse:
        """Who was told about a person."""
        return recipients.find_recipients(self._ports, self._door.admit(context), request)

"""The part of the desk's door about what needs a person: it proves the caller and calls one operation."""

import grpc

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import desk_service_pb2_grpc
from node.operations import handover, settle, work
from node.ports import Ports
from node.rpc.identity import DeskDoor
from node.rpc.status import answered


class WorkDesk(desk_service_pb2_grpc.DeskServiceServicer):
    """Methods of `exchange.v1.DeskService`."""

    _ports: Ports
    _door: DeskDoor

    @answered(explain=True)
    def ListWork(self, request: messages.ListWorkRequest, context: grpc.ServicerContext) -> messages.ListWorkResponse:
        """What needs the caller now, most urgent first."""
        return work.list_work(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def SettleAlarm(self, request: messages.SettleAlarmRequest, context: grpc.ServicerContext) -> messages.SettleAlarmResponse:
        """Set an alarm aside."""
        return settle.settle(self._ports, self._door.admit(context), request.reference, request.reason)

    @answered(explain=True)
    def HandOver(self, request: messages.HandOverRequest, context: grpc.ServicerContext) -> messages.HandOverResponse:
        """Leave a note for the next shift."""
        note = handover.hand_over(self._ports, self._door.admit(context), request.request_id, request.note)
        return messages.HandOverResponse(handover=note)

    @answered(explain=True)
    def TakeOver(self, request: messages.TakeOverRequest, context: grpc.ServicerContext) -> messages.TakeOverResponse:
        """Say that a note was read."""
        return messages.TakeOverResponse(handover=handover.take_over(self._ports, self._door.admit(context), request.handover))

    @answered(explain=True)
    def GetHandover(self, _request: messages.GetHandoverRequest, context: grpc.ServicerContext) -> messages.GetHandoverResponse:
        """The notes of the last shifts, and what is open."""
        return handover.current(self._ports, self._door.admit(context))

"""The part of the desk's door about what needs a person: it proves the caller and calls one operation."""

import grpc

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import desk_service_pb2_grpc
from node.operations import settle, work
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

"""The part of the desk's door about what was told in an emergency: each method proves the caller and calls one operation."""

import grpc

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import desk_service_pb2_grpc
from node.operations import emergency
from node.ports import Ports
from node.rpc.identity import DeskDoor
from node.rpc.status import answered


class EmergencyDesk(desk_service_pb2_grpc.DeskServiceServicer):
    """Methods of `exchange.v1.DeskService`."""

    _ports: Ports
    _door: DeskDoor

    @answered(explain=True)
    def ListEmergencies(self, _request: messages.ListEmergenciesRequest, context: grpc.ServicerContext) -> messages.ListEmergenciesResponse:
        """What was told under agreements for an emergency."""
        return messages.ListEmergenciesResponse(uses=emergency.list_emergencies(self._ports, self._door.admit(context)))

    @answered(explain=True)
    def ReviewEmergency(self, request: messages.ReviewEmergencyRequest, context: grpc.ServicerContext) -> messages.ReviewEmergencyResponse:
        """A second officer's look at what was released."""
        use = emergency.review(self._ports, self._door.admit(context), request.agreement, request.reason)
        return messages.ReviewEmergencyResponse(use=use)

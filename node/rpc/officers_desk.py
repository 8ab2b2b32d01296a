"""The part of the desk's door about who may come into the console: each method proves the caller and calls one operation."""

import grpc

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import desk_service_pb2_grpc
from node.operations import doctor, identities, roster, sign_in
from node.ports import Ports
from node.rpc.identity import DeskDoor
from node.rpc.status import answered


class OfficersDesk(desk_service_pb2_grpc.DeskServiceServicer):
    """Methods of `exchange.v1.DeskService`."""

    _ports: Ports
    _door: DeskDoor

    @answered(explain=True)
    def EnrolOfficer(self, request: messages.EnrolOfficerRequest, context: grpc.ServicerContext) -> messages.EnrolOfficerResponse:
        """A one-time code that enrols a passkey."""
        return sign_in.enrol_officer(self._ports, self._door.admit(context), request.officer)

    @answered(explain=True)
    def ForgetPasskeys(self, request: messages.ForgetPasskeysRequest, context: grpc.ServicerContext) -> messages.ForgetPasskeysResponse:
        """Take every passkey, code and session from an officer."""
        return sign_in.forget_passkeys(self._ports, self._door.admit(context), request.officer)

    @answered(explain=True)
    def LinkIdentity(self, request: messages.LinkIdentityRequest, context: grpc.ServicerContext) -> messages.LinkIdentityResponse:
        """As whom an officer comes in whom the issuer names."""
        return identities.link_identity(self._ports, self._door.admit(context), request.officer, request.subject)

    @answered(explain=True)
    def UnlinkIdentity(self, request: messages.UnlinkIdentityRequest, context: grpc.ServicerContext) -> messages.UnlinkIdentityResponse:
        """Not any more."""
        return identities.unlink_identity(self._ports, self._door.admit(context), request.officer)

    @answered(explain=True)
    def ListOfficers(self, _request: messages.ListOfficersRequest, context: grpc.ServicerContext) -> messages.ListOfficersResponse:
        """Who may come in, and who is there now."""
        return roster.list_officers(self._ports, self._door.admit(context))

    @answered(explain=True)
    def ExamineNode(self, _request: messages.ExamineNodeRequest, context: grpc.ServicerContext) -> messages.ExamineNodeResponse:
        """What is wrong with the node, or will be soon."""
        return doctor.examine(self._ports, self._door.admit(context))

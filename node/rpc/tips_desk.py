"""The part of the desk's door about tips: each method proves the caller and calls one operation."""

import grpc

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import desk_service_pb2_grpc
from node.operations import tip_contact, tip_convert, tip_desk, tip_erase
from node.operations.release import NotReleased, Prepared
from node.ports import Ports
from node.rpc.identity import DeskDoor
from node.rpc.recall_desk import Sequencing
from node.rpc.status import answered


class TipsDesk(desk_service_pb2_grpc.DeskServiceServicer):
    """Methods of `exchange.v1.DeskService`."""

    _ports: Ports
    _door: DeskDoor
    _sequencer: Sequencing

    @answered(explain=True)
    def ListTips(self, request: messages.ListTipsRequest, context: grpc.ServicerContext) -> messages.ListTipsResponse:
        """The tips of the caller's desk."""
        return tip_desk.list_tips(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def GetTip(self, request: messages.GetTipRequest, context: grpc.ServicerContext) -> messages.GetTipResponse:
        """One tip."""
        return tip_desk.get_tip(self._ports, self._door.admit(context), request.tip)

    @answered(explain=True)
    def TakeTip(self, request: messages.TakeTipRequest, context: grpc.ServicerContext) -> messages.TakeTipResponse:
        """Take a tip up."""
        return messages.TakeTipResponse(tip=tip_desk.take_tip(self._ports, self._door.admit(context), request.tip))

    @answered(explain=True)
    def AssessTip(self, request: messages.AssessTipRequest, context: grpc.ServicerContext) -> messages.AssessTipResponse:
        """Say how an assessment stands."""
        return messages.AssessTipResponse(tip=tip_desk.assess_tip(self._ports, self._door.admit(context), request))

    @answered(explain=True)
    def ReferTip(self, request: messages.ReferTipRequest, context: grpc.ServicerContext) -> messages.ReferTipResponse:
        """Give a tip to another desk of this country."""
        return messages.ReferTipResponse(tip=tip_desk.refer_tip(self._ports, self._door.admit(context), request))

    @answered(explain=True)
    def CloseTip(self, request: messages.CloseTipRequest, context: grpc.ServicerContext) -> messages.CloseTipResponse:
        """Close a tip."""
        return messages.CloseTipResponse(tip=tip_desk.close_tip(self._ports, self._door.admit(context), request))

    @answered(explain=True)
    def SafeguardTip(self, request: messages.SafeguardTipRequest, context: grpc.ServicerContext) -> messages.SafeguardTipResponse:
        """Ask the NGO to keep a child safe."""
        return messages.SafeguardTipResponse(tip=tip_desk.safeguard_tip(self._ports, self._door.admit(context), request))

    @answered(explain=True)
    def OpenTipContact(self, request: messages.OpenTipContactRequest, context: grpc.ServicerContext) -> messages.OpenTipContactResponse:
        """How the reporter can be reached."""
        return messages.OpenTipContactResponse(contact=tip_contact.open_tip_contact(self._ports, self._door.admit(context), request))

    @answered(explain=True)
    def EraseTip(self, request: messages.EraseTipRequest, context: grpc.ServicerContext) -> messages.EraseTipResponse:
        """Erase a tip, or the reporter's contact details alone."""
        return tip_erase.erase_tip(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def ConvertTip(self, request: messages.ConvertTipRequest, context: grpc.ServicerContext) -> messages.ConvertTipResponse:
        """A draft for another country."""
        return messages.ConvertTipResponse(draft=tip_convert.convert_tip(self._ports, self._door.admit(context), request))

    @answered(explain=True)
    def AnswerTip(self, request: messages.AnswerTipRequest, context: grpc.ServicerContext) -> messages.AnswerTipResponse:
        """Say what became of a tip that came from abroad."""

        def release(item: Prepared | NotReleased) -> messages.PublishedAlert:
            (published,) = self._sequencer.submit([item]).result()
            return published

        published = tip_convert.answer_tip(self._ports, self._door.admit(context), request, release)
        return messages.AnswerTipResponse(published=published)

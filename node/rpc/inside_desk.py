"""The part of the desk's door about passing on inside the country: each method proves the caller and calls one operation."""

import grpc

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import desk_service_pb2_grpc
from node.operations import confirm_purge, distribute, list_distributions, report
from node.operations.release import NotReleased, Prepared
from node.ports import Ports
from node.rpc.identity import DeskDoor
from node.rpc.recall_desk import Sequencing
from node.rpc.status import answered


class InsideDesk(desk_service_pb2_grpc.DeskServiceServicer):
    """Methods of `exchange.v1.DeskService`."""

    _ports: Ports
    _door: DeskDoor
    _sequencer: Sequencing

    @answered(explain=True)
    def PreviewDistribution(
        self, request: messages.PreviewDistributionRequest, context: grpc.ServicerContext
    ) -> messages.PreviewDistributionResponse:
        """What each agency of the country would see of an alert."""
        return distribute.preview_distribution(self._ports, self._door.admit(context), request.draft)

    @answered(explain=True)
    def DistributeAlert(self, request: messages.DistributeAlertRequest, context: grpc.ServicerContext) -> messages.DistributeAlertResponse:
        """Tell agencies of the country."""
        return distribute.distribute(self._ports, self._door.admit(context), request.draft)

    @answered(explain=True)
    def ListDistributions(
        self, request: messages.ListDistributionsRequest, context: grpc.ServicerContext
    ) -> messages.ListDistributionsResponse:
        """Who was told inside the country, and what they reported."""
        return list_distributions.list_distributions(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def ForwardReport(self, request: messages.ForwardReportRequest, context: grpc.ServicerContext) -> messages.ForwardReportResponse:
        """Report abroad what an agency of the country reported."""
        published = report.forward_report(self._ports, self._door.admit(context), request, self._release_one)
        return messages.ForwardReportResponse(published=published)

    @answered(explain=True)
    def ConfirmPurge(self, request: messages.ConfirmPurgeRequest, context: grpc.ServicerContext) -> messages.ConfirmPurgeResponse:
        """Confirm a purge to the desk that told the caller's agency."""
        return confirm_purge.confirm_purge(self._ports, self._door.admit(context), request)

    def _release_one(self, item: Prepared | NotReleased) -> messages.PublishedAlert:
        (published,) = self._sequencer.submit([item]).result()
        return published

"""The door for this country's auditors, on the desk listener: each method proves the caller and calls one operation."""

import grpc

from exchange.v1 import audit_service_pb2 as messages
from exchange.v1 import audit_service_pb2_grpc
from node.operations import audit_disclosures, audit_events, audit_open, audit_proofs, audit_reasons, audit_subject, audit_urgent
from node.ports import Ports
from node.rpc.identity import DeskDoor
from node.rpc.status import answered


class AuditService(audit_service_pb2_grpc.AuditServiceServicer):
    """`exchange.v1.AuditService`."""

    def __init__(self, ports: Ports, door: DeskDoor) -> None:
        self._ports = ports
        self._door = door

    @answered(explain=True)
    def ListEvents(self, request: messages.ListEventsRequest, context: grpc.ServicerContext) -> messages.ListEventsResponse:
        """A page of the journal."""
        return audit_events.list_events(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def GetEvent(self, request: messages.GetEventRequest, context: grpc.ServicerContext) -> messages.GetEventResponse:
        """One event of the journal."""
        return audit_events.get_event(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def GetProof(self, request: messages.GetProofRequest, context: grpc.ServicerContext) -> messages.GetProofResponse:
        """One entry, and that it is in its tree."""
        return audit_proofs.get_proof(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def GetConsistency(self, request: messages.GetConsistencyRequest, context: grpc.ServicerContext) -> messages.GetConsistencyResponse:
        """That a later tree continues an earlier one."""
        return audit_proofs.get_consistency(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def GetCheckpoint(self, request: messages.GetCheckpointRequest, context: grpc.ServicerContext) -> messages.GetCheckpointResponse:
        """The newest signed checkpoint."""
        return audit_proofs.get_checkpoint(self._ports, self._door.admit(context), request.origin)

    @answered(explain=True)
    def GetTile(self, request: messages.GetTileRequest, context: grpc.ServicerContext) -> messages.GetTileResponse:
        """Hashes of a tile."""
        return audit_proofs.get_tile(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def ListDisclosures(self, request: messages.ListDisclosuresRequest, context: grpc.ServicerContext) -> messages.ListDisclosuresResponse:
        """A page of disclosures."""
        return audit_disclosures.list_disclosures(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def OpenEvent(self, request: messages.OpenEventRequest, context: grpc.ServicerContext) -> messages.OpenEventResponse:
        """One committed record, opened for a lawful purpose."""
        return audit_open.open_event(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def ListRepeatedReasons(
        self, request: messages.ListRepeatedReasonsRequest, context: grpc.ServicerContext
    ) -> messages.ListRepeatedReasonsResponse:
        """Justifications that are given again and again."""
        return audit_reasons.list_repeated_reasons(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def ListUrgent(self, request: messages.ListUrgentRequest, context: grpc.ServicerContext) -> messages.ListUrgentResponse:
        """What was done as urgent."""
        return audit_urgent.list_urgent(self._ports, self._door.admit(context), getattr(request, "from"), request.until)

    @answered(explain=True)
    def ListAlarms(self, _request: messages.ListAlarmsRequest, context: grpc.ServicerContext) -> messages.ListAlarmsResponse:
        """The alarms that stand."""
        return audit_urgent.list_alarms(self._ports, self._door.admit(context))

    @answered(explain=True)
    def GetStatistics(self, request: messages.GetStatisticsRequest, context: grpc.ServicerContext) -> messages.GetStatisticsResponse:
        """Disclosures and events, counted."""
        return audit_disclosures.get_statistics(self._ports, self._door.admit(context), request.filter)

    @answered(explain=True)
    def ReportSubject(self, request: messages.ReportSubjectRequest, context: grpc.ServicerContext) -> messages.ReportSubjectResponse:
        """What was told about one person."""
        return audit_subject.report_subject(self._ports, self._door.admit(context), request)

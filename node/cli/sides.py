"""The two sides of an agreement to be drafted, as this node's descriptor and its record of the partner know them."""

from typing import TYPE_CHECKING

from node.cli.context import ask
from node.cli.errors import REFUSED, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.v1.desk_service_pb2 import PartnerAgency
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub
    from exchange.v1.directory_pb2 import DescribedAgency
    from node.intake.agreement_template import AgreementSide


def both_sides(desk: "DeskServiceStub", partner: str) -> "tuple[AgreementSide, AgreementSide]":
    """Ask the desk for this country and for the partner of that trust domain, or of that first label (`kh`).

    Raises `Trouble` (PARTNER_UNKNOWN) when there is no such partner, or more than one.
    """
    from exchange.v1 import desk_service_pb2, directory_pb2, statement_pb2

    partners = ask(desk.ListPartners, desk_service_pb2.ListPartnersRequest()).partners
    wanted = partner.lower()
    found = [item for item in partners if wanted in {item.trust_domain, item.trust_domain.split(".")[0]}]
    if len(found) != 1:
        raise Trouble(
            REFUSED,
            "PARTNER_UNKNOWN",
            "There is no such partner." if not found else "More than one partner is meant.",
            next_step="See `exchange partner list`, and name the partner by its whole trust domain.",
        )
    chain = ask(desk.GetOwnDescriptor, desk_service_pb2.GetOwnDescriptorRequest()).descriptors
    newest = statement_pb2.Statement.FromString(directory_pb2.DescriptorChain.FromString(chain).descriptors[-1])
    own = directory_pb2.NodeDescriptor.FromString(newest.payload)
    return _side(own.trust_domain, own.agencies), _side(found[0].trust_domain, found[0].agencies)


def _side(trust_domain: str, agencies: "Iterable[DescribedAgency] | Iterable[PartnerAgency]") -> "AgreementSide":
    from node.intake.agreement_template import side_of

    return side_of(trust_domain, {item.agency: item.agency_class for item in agencies})

"""What agencies call themselves, in their own script, as their countries' descriptors say."""

from typing import TYPE_CHECKING

from node.cli.context import ask

if TYPE_CHECKING:
    import grpc


def agency_names(channel: "grpc.Channel") -> dict[str, str]:
    """Names by SPIFFE ID: this country's agencies, and the partners'."""
    from exchange.v1 import desk_service_pb2, directory_pb2, statement_pb2
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub

    desk = DeskServiceStub(channel)
    chain = ask(desk.GetOwnDescriptor, desk_service_pb2.GetOwnDescriptorRequest()).descriptors
    newest = statement_pb2.Statement.FromString(directory_pb2.DescriptorChain.FromString(chain).descriptors[-1])
    names = {item.agency: item.name for item in directory_pb2.NodeDescriptor.FromString(newest.payload).agencies}
    for partner in ask(desk.ListPartners, desk_service_pb2.ListPartnersRequest()).partners:
        names |= {item.agency: item.name for item in partner.agencies}
    return names


def named(party: str, names: dict[str, str]) -> str:
    """A party by its own name and its SPIFFE ID."""
    return f"{names[party]}\n{party}" if names.get(party) else party

"""What may be done with an alert: the strictest of manifest, clause and entry is in force (PROTOCOL.md, section 6)."""

from exchange.errors import Malformed
from exchange.v1 import agreement_pb2, handling_pb2

_NO_COURT, _KEEP = handling_pb2.JUDICIAL_USE_NONE, handling_pb2.ONWARD_RULE_NONE
_JUDICIAL = frozenset({_NO_COURT, handling_pb2.JUDICIAL_USE_ASK, handling_pb2.JUDICIAL_USE_ALLOWED})
_ONWARD = frozenset({_KEEP, handling_pb2.ONWARD_RULE_ASK})


def check_handling(handling: handling_pb2.Handling) -> None:
    """Raise `Malformed` (HANDLING_MALFORMED) unless lists ascend without duplicates and nothing unspecified stands in them."""
    for values in (list(handling.codes), list(handling.permitted_purposes)):
        if values != sorted(set(values)) or 0 in values:
            raise Malformed("HANDLING_MALFORMED", "handling codes and purposes ascend, without duplicates")


def clause_handling(clause: agreement_pb2.Clause) -> handling_pb2.Handling:
    """What a clause allows, in the words of a handling: it says nothing of codes and judicial use, so it does not tighten those."""
    return handling_pb2.Handling(
        permitted_purposes=clause.purposes,
        judicial_use=handling_pb2.JUDICIAL_USE_ALLOWED,
        onward=clause.onward,
        retention_days=clause.maximum_retention_days,
    )


def combine(*handlings: handling_pb2.Handling) -> handling_pb2.Handling:
    """The most restrictive of all: restrictions join, permissions intersect, limits take the smallest.

    A rule that is unset, or that a later version added, reads as the strictest.
    """
    codes = sorted({code for handling in handlings for code in handling.codes})
    purposes = set.intersection(*(set(handling.permitted_purposes) for handling in handlings)) if handlings else set()
    judicial = min((h.judicial_use if h.judicial_use in _JUDICIAL else _NO_COURT for h in handlings), default=_NO_COURT)
    onward = min((h.onward if h.onward in _ONWARD else _KEEP for h in handlings), default=_KEEP)
    if handling_pb2.HANDLING_CODE_H1 in codes:
        judicial = min(judicial, handling_pb2.JUDICIAL_USE_ASK)
    return handling_pb2.Handling(
        codes=[code for code in codes if code != handling_pb2.HANDLING_CODE_H0] or codes,
        permitted_purposes=sorted(purposes),
        judicial_use=judicial,
        onward=onward,
        retention_days=min((h.retention_days for h in handlings if h.retention_days), default=0),
        confirm_before_coercive_action=any(h.confirm_before_coercive_action for h in handlings),
    )

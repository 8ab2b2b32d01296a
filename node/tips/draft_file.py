"""A draft written as an alert file, for an officer to complete: what `node.intake.alert_file` reads back to the same draft."""

from typing import Any, Final

import yaml

from exchange.v1.desk_service_pb2 import Draft
from exchange.v1.handling_pb2 import HandlingCode, JudicialUse, OnwardRule, Purpose
from node.intake.instants import write_instant
from node.reading import Json, to_json

_WIDTH: Final = 120


class _Dumper(yaml.SafeDumper):
    """Writes everything out: the reader takes no anchors."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def write_draft(draft: Draft, comment: str) -> str:
    """The text of a YAML file; `comment` stands at its top. Raises as `to_json`."""
    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    return lines + yaml.dump(draft_document(draft), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH)


def draft_document(draft: Draft) -> dict[str, Json]:
    """The same as plain data. Raises as `to_json`."""
    written = to_json(draft.alert_type, draft.alert, ())
    alert = written["alert"]
    handling = draft.handling
    return {
        "type": written["type"],
        "recipients": list(draft.recipients),
        "purpose": _short(Purpose, draft.purpose),
        "not_after": write_instant(draft.not_after),
        "handling": {
            "codes": [_short(HandlingCode, code) for code in handling.codes],
            "permitted_purposes": [_short(Purpose, purpose) for purpose in handling.permitted_purposes],
            **({"judicial_use": _short(JudicialUse, handling.judicial_use)} if handling.judicial_use else {}),
            **({"onward": _short(OnwardRule, handling.onward)} if handling.onward else {}),
            **({"retention_days": handling.retention_days} if handling.retention_days else {}),
            **({"confirm_before_coercive_action": True} if handling.confirm_before_coercive_action else {}),
        },
        "thread": draft.thread.hex(),
        # What nobody knows is left to the officer by its name alone.
        "alert": {name: value for name, value in alert.items() if value is not None} if isinstance(alert, dict) else {},
    }


def _short(enum: Any, number: int) -> str:
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    name: str = enum.Name(number)
    return name.removeprefix(prefix)

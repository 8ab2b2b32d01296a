"""What a desk asks of an NGO for a child's safety: one text for each code, so that nothing of a case goes back with it."""

from collections.abc import Mapping
from typing import Final

SAFEGUARDS: Final[Mapping[str, str]] = {
    "CALL_EMERGENCY_POLICE": "Call the emergency police now.",
    "CALL_THIS_DESK": "Call the desk that has your tip, with the reference number.",
    "KEEP_THE_CHILD_SAFE": "See to it that the child is in a safe place, with somebody the child trusts.",
    "DO_NOT_CONFRONT": "Do not confront the suspect, and do not let the suspect learn of your report.",
    "DO_NOT_QUESTION_THE_CHILD": "Do not question the child: listen, and leave questions to trained interviewers.",
    "PRESERVE_EVIDENCE": "Keep what you have as it is: do not open, copy, forward or delete it.",
    "MEDICAL_CARE": "Bring the child to a doctor.",
}
"""What the codes of `TipSafeguard` say."""

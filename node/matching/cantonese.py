"""Chinese characters as Hong Kong and Macau read them: Jyutping (ToJyutping, by CanCLID), spelt as on documents."""

import re
from typing import Final

_HAN: Final = re.compile("[\u3400-\u9fff]")


def cantonese(text: str) -> str:
    """The readings of the characters of a name, a space between any two: 陳大文 → `chan daai man`. Empty without any."""
    # Slow to import, and nothing but a name in Chinese characters needs it.
    import ToJyutping

    readings = (reading for sign, reading in ToJyutping.get_jyutping_list(text) if reading and _HAN.fullmatch(sign))
    return " ".join(_as_on_documents(reading.split()[0].rstrip("0123456789")) for reading in readings)


def _as_on_documents(jyutping: str) -> str:
    # Jyutping's j is a y, and its c and z are what documents write ch or ts.
    if jyutping.startswith("jyu"):
        jyutping = "yu" + jyutping[3:]
    if jyutping.startswith("j"):
        jyutping = "y" + jyutping[1:]
    if jyutping[0] in "cz":
        jyutping = "ch" + jyutping[1:]
    return jyutping.replace("yu", "u", 1) if jyutping.startswith("chyu") else jyutping

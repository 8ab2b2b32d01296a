"""Chinese characters as Hong Kong and Macau read them: Jyutping (ToJyutping, by CanCLID), spelt as on documents.

Documents have no one spelling. This follows the habit of the Hong Kong government's romanisation: unaspirated consonants as aspirated
ones, `oe` as `eu`, `aa` as `a`; what still differs from a given document sounds alike.
"""

import re
from typing import Final

_HAN: Final = re.compile("[\u3400-\u9fff]")
_SYLLABLE: Final = re.compile(r"(ng|gw|kw|[bpmfdtnlgkhwzcsj])?(.*)")
_ONSETS: Final = {"b": "p", "d": "t", "g": "k", "gw": "kw", "z": "ch", "c": "ch", "j": "y"}
# The part of a syllable after its first consonant, where documents write it otherwise than Jyutping.
_RIMES: Final = {
    "aa": "a", "aai": "ai", "aau": "au", "aam": "am", "aan": "an", "aang": "ang", "aap": "ap", "aat": "at", "aak": "ak",
    "oe": "eu", "oeng": "eung", "oek": "euk", "eon": "un", "eot": "ut", "eoi": "ui", "ou": "o", "yu": "u", "yun": "uen", "yut": "uet",
    "on": "on", "ot": "ot", "un": "un",
}  # fmt: skip


def cantonese(text: str) -> str:
    """The readings of the characters of a name, a space between any two: 陳大文 → `chan tai man`. Empty without any."""
    # Slow to import, and nothing but a name in Chinese characters needs it.
    import ToJyutping

    readings = (reading for sign, reading in ToJyutping.get_jyutping_list(text) if reading and _HAN.fullmatch(sign))
    return " ".join(_as_on_documents(reading.split()[0].rstrip("0123456789")) for reading in readings)


def _as_on_documents(jyutping: str) -> str:
    match = _SYLLABLE.fullmatch(jyutping)
    onset, rime = (match[1] or "", match[2]) if match else ("", jyutping)
    spelt = _RIMES.get(rime, rime)
    if onset == "j":
        return {"yu": "yu", "yun": "yuen", "yut": "yuet", "i": "yi", "in": "yin", "im": "yim"}.get(rime, "y" + spelt)
    if rime == "i":
        return {"z": "chi", "c": "chi", "s": "sze"}.get(onset, onset + "i")
    return _ONSETS.get(onset, onset) + spelt

"""A mark behind words of others in which letters look like others, or nobody sees a sign: beside `safe_text`, where such words stand."""

from markupsafe import Markup

from node.console.languages import Language
from node.intake.lookalikes import lookalikes


def alike(language: Language, text: str) -> Markup:
    """Which signs of the text are not what they seem, for a page; nothing where there are none."""
    signs = dict.fromkeys(sign for _, found in lookalikes((text,)) for sign in found.split(", "))
    if not signs:
        return Markup()
    said = language.say("Look-alike letters: %(signs)s", signs=", ".join(signs))
    return Markup(' <strong class="govuk-tag govuk-tag--yellow">{}</strong>').format(said)

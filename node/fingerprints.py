"""A fingerprint as two people compare it by telephone: groups of four bytes, each as hex digits and as words of the PGP Word List.

The list (Patrick Juola and Philip Zimmermann, 1995) has two words for each byte: one of two syllables for even places, one of three for
odd places. So a word that is left out, said twice or changed places with its neighbour is noticed, and no two words sound alike.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

SIZE: Final = 32
GROUP: Final = 4
GROUPS: Final = SIZE // GROUP
_HEX: Final = re.compile(r"[0-9a-f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Four bytes of a fingerprint."""

    number: int
    """From 1."""
    digits: str
    """Eight hex digits, in fours."""
    words: str
    """Four words."""


def groups(fingerprint: bytes) -> tuple[Group, ...]:
    """The groups of a fingerprint, in order."""
    return tuple(
        _group(number, fingerprint[start : start + GROUP]) for number, start in enumerate(range(0, len(fingerprint), GROUP), start=1)
    )


def held_back(fingerprint: bytes) -> int:
    """The number of the group that a page does not show, so that it must be heard: always the same one of a fingerprint."""
    return sha256(b"group to be heard\0" + fingerprint).digest()[0] % GROUPS + 1


def with_group(fingerprint: bytes, number: int, heard: bytes) -> bytes:
    """The fingerprint with what was heard in the place of that group."""
    start = (number - 1) * GROUP
    return fingerprint[:start] + heard + fingerprint[start + GROUP :]


def read_bytes(text: str, size: int) -> bytes | None:
    """So many bytes from hex digits or words, however they are spaced; None for what is neither, or of another length."""
    plain = re.sub(r"[\s:,-]+", " ", text.lower()).strip()
    digits = plain.replace(" ", "").removeprefix("0x")
    if _HEX.fullmatch(digits):
        return bytes.fromhex(digits) if len(digits) == 2 * size else None
    found = [_BYTES[place % 2].get(word) for place, word in enumerate(plain.split())]
    known = [byte for byte in found if byte is not None]
    return bytes(known) if len(known) == len(found) == size else None


def _group(number: int, four: bytes) -> Group:
    digits = four.hex()
    words = " ".join(_WORDS[place % 2][byte] for place, byte in enumerate(four))
    return Group(number=number, digits=f"{digits[:4]} {digits[4:]}", words=words)


_TWO_SYLLABLES: Final = (
    "aardvark absurd accrue acme adrift adult afflict ahead aimless algol allow alone ammo ancient apple artist assume athens atlas "
    "aztec baboon backfield backward banjo beaming bedlamp beehive beeswax befriend belfast berserk billiard bison blackjack blockade "
    "blowtorch bluebird bombast bookshelf brackish breadline breakup brickyard briefcase burbank button buzzard cement chairlift "
    "chatter checkup chisel choking chopper christmas clamshell classic classroom cleanup clockwork cobra commence concert cowbell "
    "crackdown cranky crowfoot crucial crumpled crusade cubic dashboard deadbolt deckhand dogsled dragnet drainage dreadful drifter "
    "dropper drumbeat drunken dupont dwelling eating edict egghead eightball endorse endow enlist erase escape exceed eyeglass "
    "eyetooth facial fallout flagpole flatfoot flytrap fracture framework freedom frighten gazelle geiger glitter glucose goggles "
    "goldfish gremlin guidance hamlet highchair hockey indoors indulge inverse involve island jawbone keyboard kickoff kiwi klaxon "
    "locale lockup merit minnow miser mohawk mural music necklace neptune newborn nightbird oakland obtuse offload optic orca payday "
    "peachy pheasant physique playhouse pluto preclude prefer preshrunk printer prowler pupil puppy python quadrant quiver quota "
    "ragtime ratchet rebirth reform regain reindeer rematch repay retouch revenge reward rhythm ribcage ringbolt robust rocker "
    "ruffled sailboat sawdust scallion scenic scorecard scotland seabird select sentence shadow shamrock showgirl skullcap skydive "
    "slingshot slowdown snapline snapshot snowcap snowslide solo southward soybean spaniel spearhead spellbind spheroid spigot "
    "spindle spyglass stagehand stagnate stairway standard stapler steamship sterling stockman stopwatch stormy sugar surmount "
    "suspense sweatband swelter tactics talon tapeworm tempest tiger tissue tonic topmost tracker transit trauma treadmill trojan "
    "trouble tumor tunnel tycoon uncut unearth unwind uproot upset upshot vapor village virus vulcan waffle wallet watchword wayside "
    "willow woodlark zulu "
)


_THREE_SYLLABLES: Final = (
    "adroitness adviser aftermath aggregate alkali almighty amulet amusement antenna applicant apollo armistice article asteroid "
    "atlantic atmosphere autopsy babylon backwater barbecue belowground bifocals bodyguard bookseller borderline bottomless bradbury "
    "bravado brazilian breakaway burlington businessman butterfat camelot candidate cannonball capricorn caravan caretaker celebrate "
    "cellulose certify chambermaid cherokee chicago clergyman coherence combustion commando company component concurrent confidence "
    "conformist congregate consensus consulting corporate corrosion councilman crossover crucifix cumbersome customer dakota "
    "decadence december decimal designing detector detergent determine dictator dinosaur direction disable disbelief disruptive "
    "distortion document embezzle enchanting enrollment enterprise equation equipment escapade eskimo everyday examine existence "
    "exodus fascinate filament finicky forever fortitude frequency gadgetry galveston getaway glossary gossamer graduate gravity "
    "guitarist hamburger hamilton handiwork hazardous headwaters hemisphere hesitate hideaway holiness hurricane hydraulic impartial "
    "impetus inception indigo inertia infancy inferno informant insincere insurgent integrate intention inventive istanbul jamaica "
    "jupiter leprosy letterhead liberty maritime matchmaker maverick medusa megaton microscope microwave midsummer millionaire "
    "miracle misnomer molasses molecule montana monument mosquito narrative nebula newsletter norwegian october ohio onlooker opulent "
    "orlando outfielder pacific pandemic pandora paperweight paragon paragraph paramount passenger pedigree pegasus penetrate "
    "perceptive performance pharmacy phonetic photograph pioneer pocketful politeness positive potato processor provincial proximate "
    "puberty publisher pyramid quantity racketeer rebellion recipe recover repellent replica reproduce resistor responsive retraction "
    "retrieval retrospect revenue revival revolver sandalwood sardonic saturday savagery scavenger sensation sociable souvenir "
    "specialist speculate stethoscope stupendous supportive surrender suspicious sympathy tambourine telephone therapist tobacco "
    "tolerance tomorrow torpedo tradition travesty trombonist truncated typewriter ultimate undaunted underfoot unicorn unify "
    "universe unravel upcoming vacancy vagabond vertigo virginia visitor vocalist voyager warranty waterloo whimsical wichita "
    "wilmington wyoming yesteryear yucatan "
)


_WORDS: Final = (_TWO_SYLLABLES.split(), _THREE_SYLLABLES.split())
_BYTES: Final = tuple({word: byte for byte, word in enumerate(words)} for words in _WORDS)

"""Policy files: which logs and witnesses a verifier trusts, and which witnesses together are enough (C2SP tlog-policy).

The file is the verifier's own. Beyond the standard, which leaves it to whoever writes the groups, cosignatures are counted by organisation:

- An *organisation* is what stands before the first slash of a key's name: of our nodes the trust domain.
- A log's own organisation never counts as its witness, whatever the file says.
- A group of k is satisfied when, as in the standard, k of its members are, and when these come from at least k organisations, or from all
  that the group has if these are fewer. So a group inside one organisation means what it means elsewhere, and two keys of one country are
  never two countries.

A file that asks for no witness at all (`quorum none`) is read, as the standard says; whoever uses it knows that it proves no more than the
log's signature.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from exchange.errors import Malformed
from exchange.tlog.note import CosignatureVerifier, NoteVerifier

MAX_POLICY_BYTES = 64 * 1024
_LINES_AT_MOST = 1024
_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_BLANK = re.compile(rb"[ \t]+")
_NOBODY = "none"
_RESERVED = frozenset({_NOBODY, "all", "any"})
_THRESHOLD = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWitness:
    """A witness that a policy names. `url` is its submission prefix (C2SP tlog-witness), empty if the file gives none."""

    name: str
    key: CosignatureVerifier
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyGroup:
    """At least `threshold` of these members, which are witnesses or earlier groups."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a policy file says. `quorum` names a witness or a group, or nobody (`none`)."""

    logs: tuple[NoteVerifier, ...]
    witnesses: Mapping[str, PolicyWitness]
    groups: Mapping[str, PolicyGroup]
    quorum: str

    def satisfied(self, cosigned: Iterable[NoteVerifier], *, own: str) -> bool:
        """Whether these keys, whose cosignatures hold, are enough for a log of the organisation `own`."""
        keys = {(verifier.name, verifier.public_key) for verifier in cosigned if organisation(verifier.name) != own}
        if self.quorum == _NOBODY:
            return True
        witnessing = {name for name, witness in self.witnesses.items() if (witness.key.name, witness.key.public_key) in keys}
        return bool(self._behind(self.quorum, witnessing))

    def _behind(self, name: str, witnessing: AbstractSet[str]) -> frozenset[str]:
        """The organisations that witnessed as this member; none if it is not satisfied."""
        if name in self.witnesses:
            return frozenset({organisation(self.witnesses[name].key.name)}) if name in witnessing else frozenset()
        group = self.groups[name]
        satisfied = [behind for member in group.members if (behind := self._behind(member, witnessing))]
        together = frozenset().union(*satisfied)
        wanted = min(group.threshold, len(self._organisations(name)))
        return together if len(satisfied) >= group.threshold and len(together) >= wanted else frozenset()

    def _organisations(self, name: str) -> frozenset[str]:
        if name in self.witnesses:
            return frozenset({organisation(self.witnesses[name].key.name)})
        return frozenset().union(*(self._organisations(member) for member in self.groups[name].members))


def organisation(name: str) -> str:
    """Who stands behind a key or a log of this name: of ours, the trust domain."""
    return name.partition("/")[0]


def parse_policy(content: bytes) -> Policy:
    """Read a policy file. Raises `Malformed` (POLICY_MALFORMED), naming the line and never its content."""
    if len(content) > MAX_POLICY_BYTES or content.count(b"\n") > _LINES_AT_MOST:
        raise Malformed("POLICY_MALFORMED", "a policy file is at most 64 KiB and 1024 lines")
    if not _ALLOWED.fullmatch(content) or (content and not content.endswith(b"\n")):
        raise Malformed("POLICY_MALFORMED", "a policy file has lines, each ended by LF, without control characters but tabs")
    reader = _Reader()
    for number, line in enumerate(content.split(b"\n"), 1):
        words = [word.decode("utf-8", "surrogateescape") for word in _BLANK.split(line.strip(b" \t")) if word]
        if words and not words[0].startswith("#"):
            try:
                reader.take(words)
            except Malformed as error:
                raise Malformed("POLICY_MALFORMED", f"line {number}: {error}") from None
    return reader.policy()


class _Reader:
    """The lines taken so far."""

    def __init__(self) -> None:
        self._logs: list[NoteVerifier] = []
        self._witnesses: dict[str, PolicyWitness] = {}
        self._groups: dict[str, PolicyGroup] = {}
        self._member_of: set[str] = set()
        self._quorum = ""

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self._log(NoteVerifier.from_vkey(vkey))
            case ["witness", name, vkey]:
                self._witness(name, vkey, "")
            case ["witness", name, vkey, url]:
                self._witness(name, vkey, url)
            case ["group", name, rule, *members]:
                self._group(name, rule, members)
            case ["quorum", name]:
                self._take_quorum(name)
            case _:
                raise _wrong("a line is a log, a witness, a group or the quorum")

    def policy(self) -> Policy:
        if not self._quorum:
            raise _wrong("the file names no quorum")
        return Policy(logs=tuple(self._logs), witnesses=self._witnesses, groups=self._groups, quorum=self._quorum)

    def _log(self, key: NoteVerifier) -> None:
        if any(known.public_key == key.public_key for known in self._logs):
            raise _wrong("a log's key stands there twice")
        self._logs.append(key)

    def _witness(self, name: str, vkey: str, url: str) -> None:
        self._unused(name)
        key = _witness_key(vkey)
        if any(known.key.public_key == key.public_key for known in self._witnesses.values()):
            raise _wrong("a witness's key stands there twice")
        self._witnesses[name] = PolicyWitness(name=name, key=key, url=url)

    def _group(self, name: str, rule: str, members: list[str]) -> None:
        self._unused(name)
        if not members or len(set(members)) != len(members) or not all(self._defined(member) for member in members):
            raise _wrong("a group has members, all different, each defined on a line before")
        if not self._member_of.isdisjoint(members):
            raise _wrong("a witness or group is a member once at most")
        if rule in {"all", "any"}:
            threshold = len(members) if rule == "all" else 1
        elif _THRESHOLD.fullmatch(rule) and int(rule) <= len(members):
            threshold = int(rule)
        else:
            raise _wrong("a group asks for all, any, or from 1 to as many as it has members")
        self._member_of.update(members)
        self._groups[name] = PolicyGroup(name=name, threshold=threshold, members=tuple(members))

    def _take_quorum(self, name: str) -> None:
        if self._quorum or not (name == _NOBODY or self._defined(name)):
            raise _wrong("there is one quorum, defined on a line before")
        self._quorum = name

    def _defined(self, name: str) -> bool:
        return name in self._witnesses or name in self._groups

    def _unused(self, name: str) -> None:
        if name in _RESERVED or self._defined(name):
            raise _wrong("a name is defined once, and is not none, all or any")


def _witness_key(vkey: str) -> CosignatureVerifier:
    """A witness's key, written with the type of cosignatures; some tools write the same key with that of plain signatures."""
    try:
        kind = b64decode(vkey.partition("+")[2].partition("+")[2])[:1]
    except ValueError:
        kind = b""
    if kind == b"\x01":
        plain = NoteVerifier.from_vkey(vkey)
        return CosignatureVerifier(name=plain.name, public_key=plain.public_key)
    return CosignatureVerifier.from_vkey(vkey)


def _wrong(message: str) -> Malformed:
    return Malformed("POLICY_MALFORMED", message)

"""The configuration of one node: a TOML file, with `EXCHANGE_<SECTION>_<KEY>` from the environment over it.

Every mistake is found before anything starts: an unknown key is refused and the nearest known one named, types and
shapes are checked, missing keys are listed, all at once. Messages name keys and never a value, because a value may be a
key's PIN. Relative paths, also those in `file:` key URIs, are relative to the file.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, cast

from exchange.errors import Malformed
from exchange.values import PartyId
from node.config_notices import NoticesSection, wrong_together
from node.config_values import KINDS, Wrong, from_environment
from node.console_section import ConsoleSection
from node.national_section import NationalSection
from node.oidc_section import OidcSection
from node.tips_section import TipsSection

ENVIRONMENT_PREFIX: Final = "EXCHANGE_"
NOT_CONFIGURATION: Final = frozenset({"EXCHANGE_CONTEXT"})
"""Variables of the same prefix that belong to the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSection:
    """Who this node is: what its descriptor tells partners."""

    trust_domain: str = field(metadata={"kind": "trust_domain"})
    country: str = field(metadata={"kind": "country"})
    training: bool = field(metadata={"kind": "flag"})
    languages: tuple[str, ...] = field(metadata={"kind": "texts"})
    """BCP 47 tags, preferred first."""
    endpoint: str = field(metadata={"kind": "address"})
    """host:port where partners reach it."""
    justification_mandatory: bool = field(metadata={"kind": "flag"}, default=True)
    """Whether nothing is released or opened without a reason in words: LED Art. 25 asks for one, UK DPA s.62 since 2025 does not."""
    duplicates_refuse: bool = field(metadata={"kind": "flag"}, default=True)
    """Whether a release about a person whom another alert is about is refused until the officer names that alert; else it is only told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenSection:
    """Where the listeners bind: host:port."""

    partners: str = field(metadata={"kind": "address"})
    desk: str = field(metadata={"kind": "address"})
    witness: str = field(metadata={"kind": "address"}, default="")
    """Plain HTTP: witnesses partners' journals and shows this node's own. Empty: neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSection:
    """PEM files of both listeners, and the authorities that this country issues under."""

    node_certificate: Path = field(metadata={"kind": "path"})
    node_key: Path = field(metadata={"kind": "path"})
    node_ca: Path = field(metadata={"kind": "path"})
    desk_certificate: Path = field(metadata={"kind": "path"})
    desk_key: Path = field(metadata={"kind": "path"})
    office_ca: Path = field(metadata={"kind": "path"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysSection:
    """Key URIs, one a use (PROTOCOL.md, 1); those with `file:` are absolute here."""

    agreement: str = field(metadata={"kind": "uri"})
    log: str = field(metadata={"kind": "uri"})
    receipt: str = field(metadata={"kind": "uri"})
    witness: str = field(metadata={"kind": "uri"})
    identity: str = field(metadata={"kind": "uri"}, default="")
    """Empty where it is kept offline, as it should be."""
    recall: str = field(metadata={"kind": "uri"}, default="")
    """A statement key of the node itself: recalls in the name of an agency whose own key is revoked. Empty: it has none."""
    statement: Mapping[str, str] = field(metadata={"kind": "uris"})
    """By the last segment of the agency's SPIFFE ID; an agency without one signs no alerts of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSection:
    """Where the node keeps what it knows."""

    database: Path = field(metadata={"kind": "path"})
    vault_key: str = field(metadata={"kind": "uri"})
    """URI of the key that encrypts at rest; never inside the database or its backups."""
    high_water: Path = field(metadata={"kind": "path"})
    """Directory, outside the database's, for the record that no backup may restore (PROTOCOL.md, 4)."""
    descriptors: Path = field(metadata={"kind": "path"})
    """Serialized `DescriptorChain` of this node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessSection:
    """Who cosigns this node's journal. Optional: without it nobody is asked."""

    urls: Mapping[str, str] = field(metadata={"kind": "urls"}, default_factory=dict)
    """Where partners witness: the prefix of C2SP tlog-witness, by trust domain. Their keys are those of their pinned descriptors."""
    policy: Path | None = field(metadata={"kind": "path"}, default=None)
    """A policy file (C2SP tlog-policy): further witnesses, with keys and URLs, and how many are enough."""
    every_seconds: int = field(metadata={"kind": "seconds"}, default=60)
    """How often the journal is anchored, signed and shown to its witnesses. Partners expect to see it each minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSection:
    """How long the law of this country lets alerts be kept, in days; agreements and handlings may shorten it. The section may be absent."""

    default_days: int = field(metadata={"kind": "days"}, default=1825)
    review_days: int = field(metadata={"kind": "days"}, default=365)
    """How often the need for storage is reviewed."""
    days: tuple[tuple[str, int], ...] = field(metadata={"kind": "days_by_type"}, default=())
    """For types of alerts that have a limit of their own, by name, e.g. `Tip = 90`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySection:
    """What this country's law asks for before it tells another: a signed policy pack, and the key of whoever issues it."""

    pack: Path | None = field(metadata={"kind": "path"}, default=None)
    key: str = field(metadata={"kind": "text"}, default="")
    """A C2SP note verifier key, `<name>+<key id>+<base64>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyEntry:
    """One agency that speaks through this node."""

    id: PartyId = field(metadata={"kind": "party"})
    name: str = field(metadata={"kind": "text"})
    agency_class: str = field(metadata={"kind": "agency_class", "key": "class"})
    """One of `AGENCY_CLASSES`."""
    desk: str = field(metadata={"kind": "text"}, default="")
    """How it is reached, day and night: what partners read in reports that are written in the console."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerEntry:
    """One person who works with this node, and as what. Certificates say who; this says what for."""

    id: PartyId = field(metadata={"kind": "party"})
    roles: tuple[str, ...] = field(metadata={"kind": "roles"})
    """Of `ROLES`."""
    agency: PartyId | None = field(metadata={"kind": "party"}, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All that a node is told from outside."""

    node: NodeSection
    listen: ListenSection
    tls: TlsSection
    keys: KeysSection
    store: StoreSection
    witness: WitnessSection
    policy: PolicySection
    agencies: tuple[AgencyEntry, ...]
    officers: tuple[OfficerEntry, ...]
    retention: RetentionSection
    notices: NoticesSection
    tips: TipsSection
    national: NationalSection
    console: ConsoleSection
    oidc: OidcSection


_SECTIONS: Final[Mapping[str, type]] = {
    "node": NodeSection,
    "listen": ListenSection,
    "tls": TlsSection,
    "keys": KeysSection,
    "store": StoreSection,
    "witness": WitnessSection,
    "policy": PolicySection,
    "retention": RetentionSection,
    "notices": NoticesSection,
    "tips": TipsSection,
    "national": NationalSection,
    "console": ConsoleSection,
    "oidc": OidcSection,
}
_ONLY_IN_FILES: Final = frozenset({"uris", "urls", "days_by_type", "table", "tables"})
_LISTS: Final[Mapping[str, type]] = {"agencies": AgencyEntry, "officers": OfficerEntry}


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check a node's configuration.

    Raises `Malformed`: CONFIG_UNREADABLE (no such file, or not UTF-8), CONFIG_SYNTAX (not TOML), CONFIG_INVALID (any
    number of wrong keys, all of them listed).
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed("CONFIG_UNREADABLE", f"the configuration cannot be read: {type(error).__name__}") from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at [^)]*\)$", str(error))
        raise Malformed("CONFIG_SYNTAX", f"the configuration is not TOML {where[0] if where else ''}".rstrip()) from None
    return _Reader(directory=path.resolve().parent, problems=[]).config(tables, environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    directory: Path
    problems: list[str]

    def config(self, tables: dict[str, Any], environ: Mapping[str, str]) -> Config:
        self._unknown("", tables, [*_SECTIONS, *_LISTS])
        overrides = self._overrides(environ)
        sections = {}
        for name, shape in _SECTIONS.items():
            table = tables.get(name, {})
            if not isinstance(table, dict):
                self.problems.append(f"{name}: must be a table, [{name}]")
                table = {}
            sections[name] = self._table(name, shape, {**table, **overrides.get(name, {})})
        lists = {name: self._list(name, shape, tables.get(name, [])) for name, shape in _LISTS.items()}
        if not self.problems:
            config = Config(**cast("dict[str, Any]", {**sections, **lists}))
            self._whole(config)
        if self.problems:
            raise Malformed("CONFIG_INVALID", "\n".join(self.problems))
        return config

    def _overrides(self, environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        known = {
            f"{ENVIRONMENT_PREFIX}{section}_{item.name}".upper(): (section, item)
            for section, shape in _SECTIONS.items()
            for item in fields(shape)
            if item.metadata["kind"] not in _ONLY_IN_FILES
        }
        found: dict[str, dict[str, Any]] = {}
        for variable, text in environ.items():
            if not variable.startswith(ENVIRONMENT_PREFIX) or variable in NOT_CONFIGURATION:
                continue
            if variable not in known:
                self.problems.append(f"{variable}: no such setting in the environment{_nearest(variable, known)}")
                continue
            section, item = known[variable]
            found.setdefault(section, {})[item.name] = from_environment(item.metadata["kind"], text)
        return found

    def _list(self, name: str, shape: type, tables: object) -> tuple[object, ...]:
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.problems.append(f"{name}: must be tables, [[{name}]]")
            return ()
        return tuple(self._table(f"{name}[{number}]", shape, table) for number, table in enumerate(tables))

    def _table(self, where: str, shape: type, table: dict[str, Any]) -> object | None:
        wanted: dict[str, Field[Any]] = {item.metadata.get("key", item.name): item for item in fields(shape)}
        self._unknown(where, table, list(wanted))
        values: dict[str, Any] = {}
        complete = True
        for key, item in wanted.items():
            if key not in table:
                if item.default is MISSING and item.default_factory is MISSING:
                    self.problems.append(f"{where}.{key}: missing")
                    complete = False
                continue
            if "shape" in item.metadata:
                known = len(self.problems)
                values[item.name] = self._nested(f"{where}.{key}", item.metadata["kind"], item.metadata["shape"], table[key])
                complete = complete and len(self.problems) == known
                continue
            try:
                values[item.name] = KINDS[item.metadata["kind"]](table[key], self.directory)
            except Wrong as wrong:
                self.problems.append(f"{where}.{key}: must be {wrong}")
                complete = False
        return shape(**values) if complete else None

    def _nested(self, where: str, kind: str, shape: type, value: object) -> object:
        if kind == "tables":
            return self._list(where, shape, value)
        if isinstance(value, dict):
            return self._table(where, shape, value)
        self.problems.append(f"{where}: must be a table, [{where}]")
        return None

    def _unknown(self, where: str, table: Mapping[str, Any], known: list[str]) -> None:
        for key in table:
            if key not in known:
                self.problems.append(f"{where}.{key}: unknown key{_nearest(key, known)}".lstrip("."))

    def _whole(self, config: Config) -> None:
        """Check what no single key can get wrong."""
        domain = config.node.trust_domain
        agencies = [agency.id for agency in config.agencies]
        people = [officer.id for officer in config.officers]
        for name, parties in (("agencies", agencies), ("officers", people)):
            if len(set(parties)) != len(parties):
                self.problems.append(f"{name}: two of them have one id")
            if any(party.trust_domain != domain for party in parties):
                self.problems.append(f"{name}: an id is of another trust domain than node.trust_domain")
        if any(agency.role != "agency" for agency in agencies):
            self.problems.append("agencies: an id is not that of an agency, spiffe://…/agency/…")
        if any(person.role not in {"officer", "auditor"} for person in people):
            self.problems.append("officers: an id is not that of an officer or auditor, spiffe://…/officer/…")
        if any(officer.agency not in {None, *agencies} for officer in config.officers):
            self.problems.append("officers: an agency is not among [[agencies]]")
        if not config.keys.statement.keys() <= {agency.path.split("/")[-1] for agency in agencies}:
            self.problems.append("keys.statement: a key is for an agency that is not among [[agencies]]")
        if domain in config.witness.urls:
            self.problems.append("witness.urls: this node is not its own witness")
        if bool(config.policy.pack) != bool(config.policy.key):
            self.problems.append("policy: a pack and the key of whoever issues it belong together")
        self.problems.extend(wrong_together(config.notices))
        if config.tips.incomplete:
            self.problems.append("tips: a listener needs certificate, key, ngo_ca and plan")
        self.problems.extend(config.console.wrong(training=config.node.training))
        self.problems.extend(config.oidc.wrong(training=config.node.training))
        if config.store.high_water.is_relative_to(config.store.database.parent):
            self.problems.append("store.high_water: must be outside the directory of store.database")


def _nearest(key: str, known: Mapping[str, Any] | list[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""

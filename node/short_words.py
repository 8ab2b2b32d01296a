"""Times, parties, digests and codes in few words, the same on a terminal, in a file and on a page."""

from node.documents import moment_of


def time_text(milliseconds: int) -> str:
    """A time for people, in UTC to the minute; a dash for none."""
    moment = moment_of(milliseconds)
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else "–"


def time_cell(milliseconds: int) -> str:
    """A time for a column whose head says that it is UTC."""
    return time_text(milliseconds).removesuffix(" UTC")


def short(digest: bytes | str) -> str:
    """The beginning of a digest that is long enough to name it in commands."""
    text = digest.hex() if isinstance(digest, bytes) else digest
    return text[:12]


def party_name(spiffe_id: str) -> str:
    """A short name: `gdi (kh)` for spiffe://kh.alerts.example/agency/gdi, `node (kh)` for that country's node; others as they are."""
    domain, slash, slug = spiffe_id.removeprefix("spiffe://").partition("/agency/")
    if domain.endswith("/node"):
        return f"node ({domain.split('.')[0]})"
    return f"{slug} ({domain.split('.')[0]})" if slash else spiffe_id


def state_text(state: str | None, exception: str | None, withheld: str | None) -> str:
    """What became of a disclosure, with the reason if it was refused or not sent after all."""
    if withheld:
        return f"withheld: {words(withheld)}"
    if exception:
        return f"refused: {words(exception)}"
    return "refused" if state == "EXCEPTED" else words(state)


def words(name: str | None) -> str:
    """An enum's short name as words: REFUSED_ENTRY as `refused entry`; a dash for None."""
    return name.replace("_", " ").lower() if name else "–"

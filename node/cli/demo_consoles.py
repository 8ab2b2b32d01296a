"""The demo in a browser: where each country's console is, and a link by which each person of the story signs in, once.

The code stands behind the number sign of its link: browsers send that part to nobody, so it is in no log and no referrer; opening the
link, or looking ahead at it, uses nothing up. The page puts it into its form and takes it out of the address; a person presses the button.
"""

from node.cli.demo_sample import unfinished_sample
from node.cli.demo_stage import TELLER, Data, Stage
from node.short_words import party_name, words


def offer_consoles(stage: Stage) -> None:
    """Let the nodes serve browsers, if the assets were built."""
    from exchange.errors import NotFound
    from node.console.assets import load_assets

    try:
        load_assets()
    except NotFound:
        return
    stage.offer_consoles()


def addresses(stage: Stage) -> dict[str, str]:
    """Where a browser on this machine finds each country's console: a host of its own each, since cookies ignore ports."""
    return {country: f"http://{country.lower()}.localhost:{at.rpartition(':')[2]}" for country, at in stage.consoles.items()}


def leave_draft(stage: Stage) -> None:
    """Leave an alert that is ready to be previewed among the drafts of the first person of the story; nothing without consoles."""
    if not stage.consoles:
        return
    (country, who), (abroad, _), *_ = stage.people()
    file = stage.place / "draft.json"
    file.write_text(unfinished_sample(country, abroad), "utf-8")
    stage.ask(country, who, "alert", "draft", str(file), "--reason", "To warn the countries on his way")


def sign_ins(stage: Stage) -> list[Data]:
    """A link for each person of the story and of each NGO; an earlier link of that person ends. None without consoles."""
    consoles = addresses(stage)
    tellers = [(country, TELLER) for country, home in stage.homes.items() if (home / f"{TELLER}.toml").exists()]
    return [_sign_in(stage, country, who, consoles[country]) for country, who in (*stage.people(), *tellers)] if consoles else []


def _sign_in(stage: Stage, country: str, who: str, console: str) -> Data:
    person = stage.ask(country, who, "whoami")
    code = stage.ask(country, "administrator", "officer", "enrol", person["party"])["code"]
    roles = "NGO that tells what it saw" if who == TELLER else ", ".join(words(role) for role in person["roles"])
    where = party_name(person["agency"]) if person["agency"] else country.lower()
    return {"party": person["party"], "words": f"{roles} ({where})", "link": f"{console}/sign-in#{code}"}

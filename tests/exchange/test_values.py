import pytest

from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Refused, Unverified
from exchange.values import PartyId, check_uuid7, format_uuid, node_of, uuid7
from tests.refusals import refused

# RFC 9562, appendix A.6: Tuesday, 22 February 2022, 2:22:22 PM GMT-05:00.
RFC_TIME = 0x017F22E279B0
RFC_UUID = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
RFC_ENTROPY = bytes.fromhex("0cc318c4dc0c0c07398f")


@pytest.mark.parametrize(
    ("text", "domain", "path", "role"),
    [
        ("spiffe://gb.alerts.example/node", "gb.alerts.example", "/node", "node"),
        ("spiffe://gb.alerts.example/agency/nca-ceop", "gb.alerts.example", "/agency/nca-ceop", "agency"),
        ("spiffe://a.b/officer/Jay_1.x", "a.b", "/officer/Jay_1.x", "officer"),
        (f"spiffe://{'a' * 63}.example/{'s' * 128}", f"{'a' * 63}.example", f"/{'s' * 128}", "s" * 128),
        (f"spiffe://{'.'.join(['a' * 63] * 3)}.{'b' * 61}/n", f"{'.'.join(['a' * 63] * 3)}.{'b' * 61}", "/n", "n"),
    ],
)
def test_a_party_is_read_as_it_is_written(text: str, domain: str, path: str, role: str) -> None:
    party = PartyId.parse(text)
    assert (party.trust_domain, party.path, party.role, str(party)) == (domain, path, role, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "spiffe://gb.alerts.example",
        "spiffe://gb.alerts.example/",
        "spiffe://gb.alerts.example//node",
        "spiffe://gb.alerts.example/node/",
        "spiffe://gb.alerts.example/agency/../node",
        "spiffe://gb.alerts.example/.",
        "spiffe://gb.alerts.example/nöde",
        "spiffe://gb.alerts.example/node?x",
        "spiffe://gb.alerts.example/node\n",
        f"spiffe://gb.alerts.example/{'s' * 129}",
        "spiffe://GB.alerts.example/node",
        "spiffe://example/node",
        "spiffe://-gb.example/node",
        "spiffe://gb-.example/node",
        "spiffe://gb..example/node",
        "spiffe://gb.example:443/node",
        "spiffe://u@gb.example/node",
        f"spiffe://{'a' * 64}.example/node",
        f"spiffe://{'.'.join(['a' * 63] * 3)}.{'b' * 62}/n",
        f"spiffe://a.b{'/s' * 1020}",
        "https://gb.alerts.example/node",
        "SPIFFE://gb.alerts.example/node",
    ],
)
def test_what_spiffe_does_not_allow_is_no_party(text: str) -> None:
    with refused(Malformed, "PARTY_MALFORMED"):
        PartyId.parse(text)


@pytest.mark.parametrize("path", ["node", "", "/", "/a b"])
def test_a_party_is_checked_however_it_is_made(path: str) -> None:
    with refused(Malformed, "PARTY_MALFORMED"):
        PartyId(trust_domain="gb.alerts.example", path=path)


def test_parties_are_ordered_by_domain_and_compared_by_value() -> None:
    assert node_of("gb.alerts.example") == PartyId.parse("spiffe://gb.alerts.example/node")
    assert node_of("gb.alerts.example") < node_of("kh.alerts.example")
    assert len({node_of("gb.alerts.example"), node_of("gb.alerts.example")}) == 1


def test_uuid7_is_that_of_the_standard() -> None:
    made = uuid7(RFC_TIME, RFC_ENTROPY)
    assert format_uuid(made) == RFC_UUID
    assert check_uuid7(made) == made
    assert uuid7(RFC_TIME, RFC_ENTROPY + b"more") == made


@pytest.mark.parametrize("wrong", ["", RFC_UUID[:-2], RFC_UUID + "00", RFC_UUID.replace("-7c", "-4c"), RFC_UUID.replace("-98", "-d8")])
def test_other_uuids_are_no_alert_ids(wrong: str) -> None:
    with refused(Malformed, "ALERT_ID"):
        check_uuid7(bytes.fromhex(wrong.replace("-", "")))


@pytest.mark.parametrize("kind", [Malformed, Unverified, Refused, Conflict, NotFound])
def test_an_error_always_says_something(kind: type[ExchangeError]) -> None:
    assert str(kind("SOME_CODE")) == "SOME_CODE"
    said = kind("SOME_CODE", "what happened")
    assert (said.code, str(said)) == ("SOME_CODE", "what happened")

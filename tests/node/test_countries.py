import pytest

from node.intake.countries import (
    COUNTRIES,
    NATIONALITY_CODES,
    CountryKind,
    CountryUnknown,
    country,
    country_of_alpha2,
)


def test_the_table_has_every_country_of_iso_3166_1_once() -> None:
    iso = [entry for entry in COUNTRIES.values() if entry.kind is CountryKind.STATE and entry.code not in {"D", "RKS"}]
    assert len(iso) == 249
    assert len({entry.alpha2 for entry in iso}) == 249
    assert len({entry.name for entry in iso}) == 249
    assert all(entry.code.isalpha() and entry.code.isupper() and len(entry.code) == 3 for entry in iso)


def test_every_code_names_itself() -> None:
    assert all(code == entry.code for code, entry in COUNTRIES.items())


@pytest.mark.parametrize(
    ("alpha2", "code", "name"),
    [
        ("GB", "GBR", "United Kingdom"),
        ("KH", "KHM", "Cambodia"),
        ("VN", "VNM", "Viet Nam"),
        ("TH", "THA", "Thailand"),
        ("PH", "PHL", "Philippines"),
        ("LA", "LAO", "Lao People's Democratic Republic"),
        ("IN", "IND", "India"),
        ("HK", "HKG", "Hong Kong"),
        ("SG", "SGP", "Singapore"),
        ("MM", "MMR", "Myanmar"),
        ("AT", "AUT", "Austria"),
        ("AU", "AUS", "Australia"),
        ("CH", "CHE", "Switzerland"),
        ("CN", "CHN", "China"),
        ("CD", "COD", "Congo, Democratic Republic of the"),
        ("SK", "SVK", "Slovakia"),
        ("SI", "SVN", "Slovenia"),
        ("IE", "IRL", "Ireland"),
        ("IQ", "IRQ", "Iraq"),
        ("UA", "UKR", "Ukraine"),
        ("DE", "DEU", "Germany"),
        ("XK", "RKS", "Kosovo"),
    ],
)
def test_alpha2_and_alpha3_lead_to_the_same_country(alpha2: str, code: str, name: str) -> None:
    assert country_of_alpha2(alpha2) is country(code)
    assert country(code).name == name


def test_germany_is_d_on_documents_and_deu_elsewhere() -> None:
    assert country("D").name == country("DEU").name == "Germany"
    assert {"D", "DEU"} <= NATIONALITY_CODES


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("GBN", CountryKind.BRITISH_STATUS),
        ("UNK", CountryKind.UNITED_NATIONS),
        ("XXA", CountryKind.NO_NATIONALITY),
        ("XXB", CountryKind.NO_NATIONALITY),
        ("XXC", CountryKind.NO_NATIONALITY),
        ("XXX", CountryKind.NO_NATIONALITY),
        ("UTO", CountryKind.SPECIMEN),
    ],
)
def test_the_special_codes_of_icao_are_nationalities(code: str, kind: CountryKind) -> None:
    assert country(code).kind is kind
    assert code in NATIONALITY_CODES


@pytest.mark.parametrize("code", ["XPO", "XOM", "EUE", "XBA", "XIM", "XCC", "XCE", "XCO", "XDC", "XEC", "XES", "XMP"])
def test_organisations_issue_documents_but_are_nobodys_nationality(code: str) -> None:
    assert country(code).kind is CountryKind.ORGANISATION
    assert code not in NATIONALITY_CODES


@pytest.mark.parametrize(
    ("code", "hint"),
    [("khm", "capital"), ("KH", "three-letter"), ("QQQ", "Doc 9303-3"), ("", "Doc 9303-3"), ("KHM ", "Doc 9303-3")],
)
def test_an_unknown_code_is_refused_with_the_way_to_mend_it(code: str, hint: str) -> None:
    with pytest.raises(CountryUnknown, match=hint) as caught:
        country(code)
    assert caught.value.code == "COUNTRY_UNKNOWN"
    assert "QQQ" not in str(caught.value)


@pytest.mark.parametrize("alpha2", ["UK", "kh", "QQ", "KHM", ""])
def test_an_unknown_alpha2_is_refused(alpha2: str) -> None:
    with pytest.raises(CountryUnknown, match="alpha-2"):
        country_of_alpha2(alpha2)

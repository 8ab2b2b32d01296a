"""Country codes as travel documents carry them: ISO 3166-1 alpha-3, and the codes that ICAO adds to it.

Source: ISO 3166-1; ICAO Doc 9303 (8th edition) part 3, section 5. Two codes are outside both lists and known all the
same: `RKS`, which Kosovo prints in its passports, and `UTO`, Utopia, the issuing State of ICAO's specimen documents.
"""

from dataclasses import dataclass
from enum import Enum, unique

from exchange.errors import Malformed


class CountryUnknown(Malformed):
    """Not a code of this table. The message says how to mend it and never repeats the code, which is personal data."""


@unique
class CountryKind(Enum):
    """What a code stands for, which decides where it may be used."""

    STATE = "state"  # a country or territory of ISO 3166-1, or Kosovo
    BRITISH_STATUS = "british_status"  # a British nationality other than British citizen
    UNITED_NATIONS = "united_nations"  # the holder of a United Nations travel document
    ORGANISATION = "organisation"  # issues travel documents, is nobody's nationality
    NO_NATIONALITY = "no_nationality"  # stateless, refugee, not specified
    SPECIMEN = "specimen"  # Utopia


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """One code of the table.

    `code` is as documents print it, `name` is short and English, `alpha2` is ISO 3166-1 alpha-2 where there is one.
    """

    code: str
    alpha2: str | None
    name: str
    kind: CountryKind


# ISO 3166-1: alpha-3 to alpha-2 and short name. Names are for people to read; codes are what is compared.
_ISO_3166_1: dict[str, tuple[str, str]] = {
    "ABW": ("AW", "Aruba"),
    "AFG": ("AF", "Afghanistan"),
    "AGO": ("AO", "Angola"),
    "AIA": ("AI", "Anguilla"),
    "ALA": ("AX", "Åland Islands"),
    "ALB": ("AL", "Albania"),
    "AND": ("AD", "Andorra"),
    "ARE": ("AE", "United Arab Emirates"),
    "ARG": ("AR", "Argentina"),
    "ARM": ("AM", "Armenia"),
    "ASM": ("AS", "American Samoa"),
    "ATA": ("AQ", "Antarctica"),
    "ATF": ("TF", "French Southern Territories"),
    "ATG": ("AG", "Antigua and Barbuda"),
    "AUS": ("AU", "Australia"),
    "AUT": ("AT", "Austria"),
    "AZE": ("AZ", "Azerbaijan"),
    "BDI": ("BI", "Burundi"),
    "BEL": ("BE", "Belgium"),
    "BEN": ("BJ", "Benin"),
    "BES": ("BQ", "Bonaire, Sint Eustatius and Saba"),
    "BFA": ("BF", "Burkina Faso"),
    "BGD": ("BD", "Bangladesh"),
    "BGR": ("BG", "Bulgaria"),
    "BHR": ("BH", "Bahrain"),
    "BHS": ("BS", "Bahamas"),
    "BIH": ("BA", "Bosnia and Herzegovina"),
    "BLM": ("BL", "Saint Barthélemy"),
    "BLR": ("BY", "Belarus"),
    "BLZ": ("BZ", "Belize"),
    "BMU": ("BM", "Bermuda"),
    "BOL": ("BO", "Bolivia"),
    "BRA": ("BR", "Brazil"),
    "BRB": ("BB", "Barbados"),
    "BRN": ("BN", "Brunei Darussalam"),
    "BTN": ("BT", "Bhutan"),
    "BVT": ("BV", "Bouvet Island"),
    "BWA": ("BW", "Botswana"),
    "CAF": ("CF", "Central African Republic"),
    "CAN": ("CA", "Canada"),
    "CCK": ("CC", "Cocos (Keeling) Islands"),
    "CHE": ("CH", "Switzerland"),
    "CHL": ("CL", "Chile"),
    "CHN": ("CN", "China"),
    "CIV": ("CI", "Côte d'Ivoire"),
    "CMR": ("CM", "Cameroon"),
    "COD": ("CD", "Congo, Democratic Republic of the"),
    "COG": ("CG", "Congo"),
    "COK": ("CK", "Cook Islands"),
    "COL": ("CO", "Colombia"),
    "COM": ("KM", "Comoros"),
    "CPV": ("CV", "Cabo Verde"),
    "CRI": ("CR", "Costa Rica"),
    "CUB": ("CU", "Cuba"),
    "CUW": ("CW", "Curaçao"),
    "CXR": ("CX", "Christmas Island"),
    "CYM": ("KY", "Cayman Islands"),
    "CYP": ("CY", "Cyprus"),
    "CZE": ("CZ", "Czechia"),
    "DEU": ("DE", "Germany"),
    "DJI": ("DJ", "Djibouti"),
    "DMA": ("DM", "Dominica"),
    "DNK": ("DK", "Denmark"),
    "DOM": ("DO", "Dominican Republic"),
    "DZA": ("DZ", "Algeria"),
    "ECU": ("EC", "Ecuador"),
    "EGY": ("EG", "Egypt"),
    "ERI": ("ER", "Eritrea"),
    "ESH": ("EH", "Western Sahara"),
    "ESP": ("ES", "Spain"),
    "EST": ("EE", "Estonia"),
    "ETH": ("ET", "Ethiopia"),
    "FIN": ("FI", "Finland"),
    "FJI": ("FJ", "Fiji"),
    "FLK": ("FK", "Falkland Islands (Malvinas)"),
    "FRA": ("FR", "France"),
    "FRO": ("FO", "Faroe Islands"),
    "FSM": ("FM", "Micronesia, Federated States of"),
    "GAB": ("GA", "Gabon"),
    "GBR": ("GB", "United Kingdom"),
    "GEO": ("GE", "Georgia"),
    "GGY": ("GG", "Guernsey"),
    "GHA": ("GH", "Ghana"),
    "GIB": ("GI", "Gibraltar"),
    "GIN": ("GN", "Guinea"),
    "GLP": ("GP", "Guadeloupe"),
    "GMB": ("GM", "Gambia"),
    "GNB": ("GW", "Guinea-Bissau"),
    "GNQ": ("GQ", "Equatorial Guinea"),
    "GRC": ("GR", "Greece"),
    "GRD": ("GD", "Grenada"),
    "GRL": ("GL", "Greenland"),
    "GTM": ("GT", "Guatemala"),
    "GUF": ("GF", "French Guiana"),
    "GUM": ("GU", "Guam"),
    "GUY": ("GY", "Guyana"),
    "HKG": ("HK", "Hong Kong"),
    "HMD": ("HM", "Heard Island and McDonald Islands"),
    "HND": ("HN", "Honduras"),
    "HRV": ("HR", "Croatia"),
    "HTI": ("HT", "Haiti"),
    "HUN": ("HU", "Hungary"),
    "IDN": ("ID", "Indonesia"),
    "IMN": ("IM", "Isle of Man"),
    "IND": ("IN", "India"),
    "IOT": ("IO", "British Indian Ocean Territory"),
    "IRL": ("IE", "Ireland"),
    "IRN": ("IR", "Iran"),
    "IRQ": ("IQ", "Iraq"),
    "ISL": ("IS", "Iceland"),
    "ISR": ("IL", "Israel"),
    "ITA": ("IT", "Italy"),
    "JAM": ("JM", "Jamaica"),
    "JEY": ("JE", "Jersey"),
    "JOR": ("JO", "Jordan"),
    "JPN": ("JP", "Japan"),
    "KAZ": ("KZ", "Kazakhstan"),
    "KEN": ("KE", "Kenya"),
    "KGZ": ("KG", "Kyrgyzstan"),
    "KHM": ("KH", "Cambodia"),
    "KIR": ("KI", "Kiribati"),
    "KNA": ("KN", "Saint Kitts and Nevis"),
    "KOR": ("KR", "Korea, Republic of"),
    "KWT": ("KW", "Kuwait"),
    "LAO": ("LA", "Lao People's Democratic Republic"),
    "LBN": ("LB", "Lebanon"),
    "LBR": ("LR", "Liberia"),
    "LBY": ("LY", "Libya"),
    "LCA": ("LC", "Saint Lucia"),
    "LIE": ("LI", "Liechtenstein"),
    "LKA": ("LK", "Sri Lanka"),
    "LSO": ("LS", "Lesotho"),
    "LTU": ("LT", "Lithuania"),
    "LUX": ("LU", "Luxembourg"),
    "LVA": ("LV", "Latvia"),
    "MAC": ("MO", "Macao"),
    "MAF": ("MF", "Saint Martin (French part)"),
    "MAR": ("MA", "Morocco"),
    "MCO": ("MC", "Monaco"),
    "MDA": ("MD", "Moldova"),
    "MDG": ("MG", "Madagascar"),
    "MDV": ("MV", "Maldives"),
    "MEX": ("MX", "Mexico"),
    "MHL": ("MH", "Marshall Islands"),
    "MKD": ("MK", "North Macedonia"),
    "MLI": ("ML", "Mali"),
    "MLT": ("MT", "Malta"),
    "MMR": ("MM", "Myanmar"),
    "MNE": ("ME", "Montenegro"),
    "MNG": ("MN", "Mongolia"),
    "MNP": ("MP", "Northern Mariana Islands"),
    "MOZ": ("MZ", "Mozambique"),
    "MRT": ("MR", "Mauritania"),
    "MSR": ("MS", "Montserrat"),
    "MTQ": ("MQ", "Martinique"),
    "MUS": ("MU", "Mauritius"),
    "MWI": ("MW", "Malawi"),
    "MYS": ("MY", "Malaysia"),
    "MYT": ("YT", "Mayotte"),
    "NAM": ("NA", "Namibia"),
    "NCL": ("NC", "New Caledonia"),
    "NER": ("NE", "Niger"),
    "NFK": ("NF", "Norfolk Island"),
    "NGA": ("NG", "Nigeria"),
    "NIC": ("NI", "Nicaragua"),
    "NIU": ("NU", "Niue"),
    "NLD": ("NL", "Netherlands"),
    "NOR": ("NO", "Norway"),
    "NPL": ("NP", "Nepal"),
    "NRU": ("NR", "Nauru"),
    "NZL": ("NZ", "New Zealand"),
    "OMN": ("OM", "Oman"),
    "PAK": ("PK", "Pakistan"),
    "PAN": ("PA", "Panama"),
    "PCN": ("PN", "Pitcairn"),
    "PER": ("PE", "Peru"),
    "PHL": ("PH", "Philippines"),
    "PLW": ("PW", "Palau"),
    "PNG": ("PG", "Papua New Guinea"),
    "POL": ("PL", "Poland"),
    "PRI": ("PR", "Puerto Rico"),
    "PRK": ("KP", "Korea, Democratic People's Republic of"),
    "PRT": ("PT", "Portugal"),
    "PRY": ("PY", "Paraguay"),
    "PSE": ("PS", "Palestine, State of"),
    "PYF": ("PF", "French Polynesia"),
    "QAT": ("QA", "Qatar"),
    "REU": ("RE", "Réunion"),
    "ROU": ("RO", "Romania"),
    "RUS": ("RU", "Russian Federation"),
    "RWA": ("RW", "Rwanda"),
    "SAU": ("SA", "Saudi Arabia"),
    "SDN": ("SD", "Sudan"),
    "SEN": ("SN", "Senegal"),
    "SGP": ("SG", "Singapore"),
    "SGS": ("GS", "South Georgia and the South Sandwich Islands"),
    "SHN": ("SH", "Saint Helena, Ascension and Tristan da Cunha"),
    "SJM": ("SJ", "Svalbard and Jan Mayen"),
    "SLB": ("SB", "Solomon Islands"),
    "SLE": ("SL", "Sierra Leone"),
    "SLV": ("SV", "El Salvador"),
    "SMR": ("SM", "San Marino"),
    "SOM": ("SO", "Somalia"),
    "SPM": ("PM", "Saint Pierre and Miquelon"),
    "SRB": ("RS", "Serbia"),
    "SSD": ("SS", "South Sudan"),
    "STP": ("ST", "Sao Tome and Principe"),
    "SUR": ("SR", "Suriname"),
    "SVK": ("SK", "Slovakia"),
    "SVN": ("SI", "Slovenia"),
    "SWE": ("SE", "Sweden"),
    "SWZ": ("SZ", "Eswatini"),
    "SXM": ("SX", "Sint Maarten (Dutch part)"),
    "SYC": ("SC", "Seychelles"),
    "SYR": ("SY", "Syrian Arab Republic"),
    "TCA": ("TC", "Turks and Caicos Islands"),
    "TCD": ("TD", "Chad"),
    "TGO": ("TG", "Togo"),
    "THA": ("TH", "Thailand"),
    "TJK": ("TJ", "Tajikistan"),
    "TKL": ("TK", "Tokelau"),
    "TKM": ("TM", "Turkmenistan"),
    "TLS": ("TL", "Timor-Leste"),
    "TON": ("TO", "Tonga"),
    "TTO": ("TT", "Trinidad and Tobago"),
    "TUN": ("TN", "Tunisia"),
    "TUR": ("TR", "Türkiye"),
    "TUV": ("TV", "Tuvalu"),
    "TWN": ("TW", "Taiwan"),
    "TZA": ("TZ", "Tanzania"),
    "UGA": ("UG", "Uganda"),
    "UKR": ("UA", "Ukraine"),
    "UMI": ("UM", "United States Minor Outlying Islands"),
    "URY": ("UY", "Uruguay"),
    "USA": ("US", "United States of America"),
    "UZB": ("UZ", "Uzbekistan"),
    "VAT": ("VA", "Holy See"),
    "VCT": ("VC", "Saint Vincent and the Grenadines"),
    "VEN": ("VE", "Venezuela"),
    "VGB": ("VG", "Virgin Islands (British)"),
    "VIR": ("VI", "Virgin Islands (U.S.)"),
    "VNM": ("VN", "Viet Nam"),
    "VUT": ("VU", "Vanuatu"),
    "WLF": ("WF", "Wallis and Futuna"),
    "WSM": ("WS", "Samoa"),
    "YEM": ("YE", "Yemen"),
    "ZAF": ("ZA", "South Africa"),
    "ZMB": ("ZM", "Zambia"),
    "ZWE": ("ZW", "Zimbabwe"),
}

# Doc 9303-3, section 5: what is not in ISO 3166-1 as such.
_ICAO: dict[str, tuple[CountryKind, str]] = {
    "GBD": (CountryKind.BRITISH_STATUS, "British Overseas Territories citizen"),
    "GBN": (CountryKind.BRITISH_STATUS, "British National (Overseas)"),
    "GBO": (CountryKind.BRITISH_STATUS, "British Overseas citizen"),
    "GBP": (CountryKind.BRITISH_STATUS, "British protected person"),
    "GBS": (CountryKind.BRITISH_STATUS, "British subject"),
    "UNO": (CountryKind.UNITED_NATIONS, "United Nations, official"),
    "UNA": (CountryKind.UNITED_NATIONS, "United Nations specialised agency, official"),
    "UNK": (CountryKind.UNITED_NATIONS, "Resident of Kosovo, document of the United Nations mission"),
    "EUE": (CountryKind.ORGANISATION, "European Union (laissez-passer)"),
    "XBA": (CountryKind.ORGANISATION, "African Development Bank"),
    "XCC": (CountryKind.ORGANISATION, "Caribbean Community"),
    "XCE": (CountryKind.ORGANISATION, "Council of Europe"),
    "XCO": (CountryKind.ORGANISATION, "Common Market for Eastern and Southern Africa"),
    "XDC": (CountryKind.ORGANISATION, "Southern African Development Community"),
    "XEC": (CountryKind.ORGANISATION, "Economic Community of West African States"),
    "XES": (CountryKind.ORGANISATION, "Organisation of Eastern Caribbean States"),
    "XIM": (CountryKind.ORGANISATION, "African Export-Import Bank"),
    "XMP": (CountryKind.ORGANISATION, "Parliamentary Assembly of the Mediterranean"),
    "XOM": (CountryKind.ORGANISATION, "Sovereign Military Order of Malta"),
    "XPO": (CountryKind.ORGANISATION, "INTERPOL"),
    "XXA": (CountryKind.NO_NATIONALITY, "Stateless person (1954 Convention)"),
    "XXB": (CountryKind.NO_NATIONALITY, "Refugee (1951 Convention and 1967 Protocol)"),
    "XXC": (CountryKind.NO_NATIONALITY, "Refugee, other"),
    "XXX": (CountryKind.NO_NATIONALITY, "Nationality not specified"),
    "UTO": (CountryKind.SPECIMEN, "Utopia (specimen documents)"),
}


def _table() -> dict[str, Country]:
    table = {code: Country(code=code, alpha2=alpha2, name=name, kind=CountryKind.STATE) for code, (alpha2, name) in _ISO_3166_1.items()}
    # German documents print D, never DEU; both are accepted because registers and airlines write DEU.
    table["D"] = Country(code="D", alpha2="DE", name="Germany", kind=CountryKind.STATE)
    # XK is the user-assigned alpha-2 of ISO 3166-1 that airlines, UN/LOCODE and the European Union use for Kosovo.
    table["RKS"] = Country(code="RKS", alpha2="XK", name="Kosovo", kind=CountryKind.STATE)
    table |= {code: Country(code=code, alpha2=None, name=name, kind=kind) for code, (kind, name) in _ICAO.items()}
    return table


COUNTRIES: dict[str, Country] = _table()

# What may stand as a person's nationality in an alert: everything that is not merely an issuer of documents.
NATIONALITY_CODES: frozenset[str] = frozenset(code for code, entry in COUNTRIES.items() if entry.kind is not CountryKind.ORGANISATION)

_BY_ALPHA2: dict[str, Country] = {entry.alpha2: entry for entry in COUNTRIES.values() if entry.alpha2 is not None and entry.code != "D"}


def country(code: str) -> Country:
    """Look up a code as documents carry it, in capitals and without fillers: `KHM`, `D`, `XXA`.

    Raises `CountryUnknown` for anything else, alpha-2 codes and lower case included.
    """
    if (entry := COUNTRIES.get(code)) is not None:
        return entry
    if code.upper() in COUNTRIES:
        raise CountryUnknown("COUNTRY_UNKNOWN", "the country code is not in capitals: write it in capital letters")
    if code.upper() in _BY_ALPHA2:
        raise CountryUnknown(
            "COUNTRY_UNKNOWN",
            "the country code has two letters: write the three-letter code of ISO 3166-1, such as KHM for Cambodia",
        )
    raise CountryUnknown(
        "COUNTRY_UNKNOWN",
        "not a known country code: write the three capital letters of ISO 3166-1 alpha-3 or a code of ICAO Doc 9303-3, "
        "section 5 (D, GBD, UNO, XXA for stateless, XXB or XXC for refugee, XXX if not specified)",
    )


def country_of_alpha2(alpha2: str) -> Country:
    """Look up the country of an ISO 3166-1 alpha-2 code, as in a party's name or a port's country: `KH`.

    `XK` is Kosovo. Raises `CountryUnknown`.
    """
    if (entry := _BY_ALPHA2.get(alpha2)) is not None:
        return entry
    raise CountryUnknown(
        "COUNTRY_UNKNOWN",
        "not a known two-letter country code: write the two capital letters of ISO 3166-1 alpha-2, such as KH",
    )

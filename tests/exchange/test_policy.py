"""Policy files: the standard's form, and counting by organisation."""

import pytest

from exchange.errors import Malformed
from exchange.tlog.note import CosignatureVerifier, NoteVerifier
from exchange.tlog.policy import MAX_POLICY_BYTES, Policy, organisation, parse_policy

GB, KH, TH, VN = (f"{code}.alerts.example/witness" for code in ("gb", "kh", "th", "vn"))
OWN = "gb.alerts.example"


def key(name: str, number: int = 0) -> CosignatureVerifier:
    return CosignatureVerifier(name=name, public_key=bytes([number]) + name.encode().ljust(31, b"\x07")[:31])


def lines(*text: str) -> bytes:
    return "".join(f"{line}\n" for line in text).encode()


def policy(*rest: str) -> Policy:
    """Two witnesses of Cambodia, one each of the others; then these lines."""
    named = {"gb": key(GB), "kh": key(KH), "kh2": key(KH, 1), "th": key(TH), "vn": key(VN)}
    return parse_policy(lines(*(f"witness {name} {verifier.vkey} https://{name}.example/" for name, verifier in named.items()), *rest))


def test_a_file_of_every_kind_of_line_is_read() -> None:
    log = NoteVerifier(name="gb.alerts.example/journal/1", public_key=bytes(32))
    content = lines("# ours", "", "\t ", f" log {log.vkey} https://gb.example/", f"witness a {key(KH).vkey}", "group g\tany  a", "quorum g")
    read = parse_policy(content)
    assert read.logs == (log,)
    assert read.witnesses["a"].key == key(KH)
    assert read.witnesses["a"].url == ""
    assert (read.groups["g"].threshold, read.groups["g"].members, read.quorum) == (1, ("a",), "g")
    assert parse_policy(lines(f"log {log.vkey}", "quorum none")).logs == (log,)


def test_one_witness_is_a_quorum() -> None:
    read = policy("quorum kh")
    assert read.satisfied([key(KH)], own=OWN)
    assert not read.satisfied([key(TH)], own=OWN)
    assert not read.satisfied([], own=OWN)


def test_nobody_is_a_quorum_if_the_file_says_so() -> None:
    assert policy("quorum none").satisfied([], own=OWN)


def test_a_key_of_the_right_name_and_another_value_is_not_the_witness() -> None:
    assert not policy("quorum kh").satisfied([key(KH, 9)], own=OWN)


def test_the_own_witness_never_counts() -> None:
    assert not policy("quorum gb").satisfied([key(GB)], own=OWN)
    read = policy("group g 2 gb kh th", "quorum g")
    assert not read.satisfied([key(GB), key(KH)], own=OWN)
    assert read.satisfied([key(GB), key(KH)], own="th.alerts.example")
    assert read.satisfied([key(KH), key(TH)], own=OWN)


def test_two_witnesses_of_one_organisation_count_once_beside_others() -> None:
    read = policy("group g 2 kh kh2 th", "quorum g")
    assert not read.satisfied([key(KH), key(KH, 1)], own=OWN)
    assert read.satisfied([key(KH, 1), key(TH)], own=OWN)


def test_a_group_inside_one_organisation_means_what_the_standard_says() -> None:
    read = policy("group inner all kh kh2", "group g all inner th", "quorum g")
    assert not read.satisfied([key(KH), key(TH)], own=OWN)
    assert not read.satisfied([key(KH), key(KH, 1)], own=OWN)
    assert read.satisfied([key(KH), key(KH, 1), key(TH)], own=OWN)


def test_all_of_a_group_asks_for_each_member() -> None:
    read = policy("group g all kh kh2 th", "quorum g")
    assert not read.satisfied([key(KH), key(TH)], own=OWN)
    assert read.satisfied([key(KH), key(KH, 1), key(TH)], own=OWN)


def test_groups_of_groups_count_organisations_together() -> None:
    read = policy("group a any kh th", "group b any kh2 vn", "group g 2 a b", "quorum g")
    assert not read.satisfied([key(KH), key(KH, 1)], own=OWN), "one country twice, by two groups"
    assert read.satisfied([key(KH), key(VN)], own=OWN)


def test_a_witness_key_may_be_written_with_the_type_of_plain_signatures() -> None:
    plain = NoteVerifier(name="w.example/1", public_key=bytes(range(32)))
    read = parse_policy(lines(f"witness w {plain.vkey}", "quorum w"))
    assert read.witnesses["w"].key == CosignatureVerifier(name=plain.name, public_key=plain.public_key)


def test_an_organisation_is_what_stands_before_the_first_slash() -> None:
    assert [organisation(name) for name in (GB, "gb.alerts.example/journal/1", "plain")] == [OWN, OWN, "plain"]


KEY = key(KH).vkey
LOG = NoteVerifier(name="x.example/log", public_key=bytes(32)).vkey


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"quorum none",
        lines("quorum"),
        lines("quorum none", "quorum none"),
        lines("quorum w"),
        lines("quorum w", f"witness w {KEY}"),
        lines(f"witness w {KEY}"),
        lines(f"witness none {KEY}", "quorum none"),
        lines(f"witness any {KEY}", "quorum none"),
        lines(f"witness w {KEY}", f"witness w {key(TH).vkey}", "quorum w"),
        lines(f"witness w {KEY}", f"witness v {KEY}", "quorum w"),
        lines(f"witness w {KEY} https://a.example/ b", "quorum w"),
        lines("witness w x+y+z", "quorum w"),
        lines("witness w nothing", "quorum w"),
        lines(f"witness w {KEY[:-1]}A", "quorum none"),
        lines(f"log {LOG}", f"log {LOG}", "quorum none"),
        lines(f"log {KEY}", "quorum none"),
        lines("log", "quorum none"),
        lines(f"witness w {KEY}", "group g any", "quorum g"),
        lines(f"witness w {KEY}", "group g", "quorum w"),
        lines(f"witness w {KEY}", "group g any w w", "quorum g"),
        lines(f"witness w {KEY}", "group g any v", "quorum g"),
        lines(f"witness w {KEY}", "group w any w", "quorum w"),
        lines(f"witness w {KEY}", "group g any w", "group h any w", "quorum g"),
        lines(f"witness w {KEY}", "group g 0 w", "quorum g"),
        lines(f"witness w {KEY}", "group g 2 w", "quorum g"),
        lines(f"witness w {KEY}", "group g 01 w", "quorum g"),
        lines(f"witness w {KEY}", "group g two w", "quorum g"),
        lines("something else", "quorum none"),
        b"quorum none\r\n",
        b"quorum\x00none\n",
        b"#" * MAX_POLICY_BYTES + b"\nquorum none\n",
        b"\n" * 1025 + b"quorum none\n",
    ],
)
def test_a_file_out_of_form_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        parse_policy(content)
    assert refusal.value.code == "POLICY_MALFORMED"


def test_the_refusal_names_the_line_and_not_what_it_says() -> None:
    with pytest.raises(Malformed) as refusal:
        parse_policy(lines("quorum none", "secret words"))
    assert str(refusal.value).startswith("line 2: ")
    assert "secret" not in str(refusal.value)


def test_bytes_that_are_no_ascii_are_opaque() -> None:
    assert parse_policy("# ឃ្លាំ\n".encode() + f"witness ឃ {KEY}\nquorum ឃ\n".encode() + b"# \xff\n").quorum == "ឃ"
    assert parse_policy(b"witness \xff " + KEY.encode() + b"\nquorum \xff\n").satisfied([key(KH)], own=OWN)

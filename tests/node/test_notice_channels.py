"""The section [notices]: read strictly, its secrets from files that nobody else reads, and the ways that it opens."""

import base64
from pathlib import Path

import pytest

from exchange.errors import Malformed, NotFound, Refused
from node.config import load_config
from node.config_notices import NoticesSection
from node.notify.notice import Notice, NoticeKind
from node.workers.notice_channels import MailChannel, WebhookChannel, open_channels
from tests.node.test_config import GOOD
from tests.notice_receivers import certificate_for, mailing, receiving, second_signature
from tests.refusals import refused

SECRET = b"0123456789abcdef0123456789abcdef"
NOTICE = Notice(
    id="0123456789abcdef0123456789abcdef",
    kind=NoticeKind.REPORT_CAME,
    source="gb.alerts.example",
    reference="7672c41c568baaa1",
    due_at=None,
    escalated=True,
    raised_at=1_800_000_000_000,
)
SECTION = """
[notices]
every_seconds = 10
remind_before_minutes = 90
escalate_after_minutes = 240
authorities = "notices-ca.pem"

[notices.mail]
server = "mail.example:587"
from = "node@gb.example"
to = ["desk@gb.example", "night.desk@gb.example"]
escalate_to = ["chief@gb.example"]
user = "node"
password_file = "mail.password"

[[notices.webhooks]]
url = "https://hooks.gb.example/exchange"
secret_file = "hook.secret"
"""


def load(directory: Path, section: str = "") -> NoticesSection:
    path = directory / "node.toml"
    path.write_text(GOOD + section, "utf-8")
    return load_config(path, {}).notices


def test_the_section_may_be_left_out_and_is_read_whole(tmp_path: Path) -> None:
    plain = load(tmp_path)
    assert (plain.mail, plain.webhooks, plain.remind_before_minutes, plain.escalate_after_minutes) == (None, (), 60, 120)
    assert open_channels(plain) == ()
    full = load(tmp_path, SECTION)
    assert (full.every_seconds, full.remind_before_minutes, full.escalate_after_minutes) == (10, 90, 240)
    assert full.authorities == tmp_path.resolve() / "notices-ca.pem"
    assert full.mail is not None
    assert (full.mail.server, full.mail.sender, full.mail.tls, full.mail.user) == (
        "mail.example:587",
        "node@gb.example",
        "starttls",
        "node",
    )
    assert full.mail.to == ("desk@gb.example", "night.desk@gb.example")
    assert (full.mail.escalate_to, full.mail.password_file) == (("chief@gb.example",), tmp_path.resolve() / "mail.password")
    assert [(hook.url, hook.secret_file) for hook in full.webhooks] == [
        ("https://hooks.gb.example/exchange", tmp_path.resolve() / "hook.secret")
    ]


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("every_seconds = 10", "every_second = 10", "notices.every_second: unknown key; did you mean every_seconds?"),
        ("every_seconds = 10", "every_seconds = 0", "notices.every_seconds: must be a number of seconds"),
        ("_minutes = 90", "_minutes = 0", "notices.remind_before_minutes: must be a number of minutes"),
        ("_minutes = 90", "_minutes = 10081", "notices.remind_before_minutes: must be a number of minutes"),
        ("_minutes = 90", "_minutes = true", "notices.remind_before_minutes: must be a number of minutes"),
        ("server =", "sever =", "notices.mail.sever: unknown key; did you mean server?"),
        ("server =", "sever =", "notices.mail.server: missing"),
        ('"mail.example:587"', '"mail.example"', "notices.mail.server: must be host:port"),
        ('"node@gb.example"', '"node@gb.example\\r\\nBcc: x@y.example"', "notices.mail.from: must be an e-mail address"),
        ('["desk@gb.example", "night.desk@gb.example"]', "[]", "notices.mail.to: must be a list"),
        ('["desk@gb.example", "night.desk@gb.example"]', '["desk"]', "notices.mail.to: must be an e-mail address"),
        ('["chief@gb.example"]', '"chief@gb.example"', "notices.mail.escalate_to: must be a list"),
        ('user = "node"', "", "notices.mail: a user and a password_file belong together"),
        ('password_file = "mail.password"', 'tls = "none"', "notices.mail: a user and a password_file belong together"),
        ('user = "node"', 'user = "node"\ntls = "none"', "notices.mail: a password is never sent without TLS"),
        ('user = "node"', 'user = "node"\ntls = "perhaps"', "notices.mail.tls: must be one of starttls, tls, none"),
        ("[notices.mail]", "[[notices.mail]]", "notices.mail: must be a table"),
        ("[[notices.webhooks]]", "[notices.webhooks]", "notices.webhooks: must be tables"),
        ("https://", "ftp://", "notices.webhooks[0].url: must be http://host"),
        ("secret_file", "secret", "notices.webhooks[0].secret: unknown key; did you mean secret_file?"),
        (
            '"hook.secret"',
            '"hook.secret"\n[[notices.webhooks]]\nurl = "https://hooks.gb.example/exchange"\nsecret_file = "x"',
            "notices.webhooks: two of them have one url",
        ),
    ],
)
def test_each_mistake_is_named_by_its_key_and_without_its_value(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    assert was in SECTION
    with pytest.raises(Malformed) as caught:
        load(tmp_path, SECTION.replace(was, becomes))
    assert caught.value.code == "CONFIG_INVALID"
    assert said in str(caught.value)
    assert "desk@" not in str(caught.value)


def test_the_environment_may_say_how_often_and_not_where_to(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(GOOD, "utf-8")
    assert load_config(path, {"EXCHANGE_NOTICES_REMIND_BEFORE_MINUTES": "5"}).notices.remind_before_minutes == 5
    for name in ("MAIL", "WEBHOOKS"):
        with refused(Malformed, "CONFIG_INVALID"):
            load_config(path, {f"EXCHANGE_NOTICES_{name}": "x"})


def written(directory: Path, *, webhook: str, mail_port: int, tls: str = "starttls") -> NoticesSection:
    """A section as above, for servers of this machine, with its files."""
    for name, content in (("mail.password", "synthetic password\n"), ("hook.secret", f"whsec_{base64.b64encode(SECRET).decode()}\n")):
        (directory / name).write_text(content)
        (directory / name).chmod(0o600)
    (directory / "notices-ca.pem").write_bytes(certificate_for("localhost", directory).read_bytes())
    section = SECTION.replace("https://hooks.gb.example/exchange", webhook).replace("mail.example:587", f"localhost:{mail_port}")
    return load(directory, section.replace('user = "node"', f'user = "node"\ntls = "{tls}"'))


def test_the_ways_that_a_section_names_deliver(tmp_path: Path) -> None:
    own = certificate_for("localhost", tmp_path)
    with receiving(own) as receiver, mailing(own, login=True) as box:
        mail, hook = open_channels(written(tmp_path, webhook=receiver.url, mail_port=box.port))
        assert isinstance(mail, MailChannel)
        assert isinstance(hook, WebhookChannel)
        for channel in (mail, hook):
            channel.deliver(NOTICE, NOTICE.raised_at)
        assert box.logins == [("node", "synthetic password")]
        assert [to for to, _ in box.messages] == [("chief@gb.example",)]
        (taken,) = receiver.taken
        assert taken.headers["webhook-signature"] == second_signature(SECRET, taken.headers, taken.body)
        assert mail.name == "mail"
        assert hook.name.startswith("webhook-")
        assert "localhost" not in hook.name
        shown = repr((mail, hook))
        assert "synthetic" not in shown
        assert SECRET.decode() not in shown


def test_a_secret_that_others_can_read_and_a_file_that_is_missing_or_wrong_are_refused_at_start(tmp_path: Path) -> None:
    section = written(tmp_path, webhook="https://localhost/x", mail_port=1)
    assert len(open_channels(section)) == 2
    for name in ("mail.password", "hook.secret"):
        path = tmp_path / name
        path.chmod(0o640)
        with refused(Refused, "SECRET_FILE_MODE"):
            open_channels(section)
        path.chmod(0o600)
        good = path.read_bytes()
        path.write_bytes(b"\xff\xfe")
        with refused(Malformed, "NOTICES_FILE"):
            open_channels(section)
        path.unlink()
        with refused(NotFound, "NOTICES_FILE"):
            open_channels(section)
        path.write_bytes(good)
        path.chmod(0o600)
    (tmp_path / "hook.secret").write_text("no secret")
    with refused(Malformed, "WEBHOOK_SECRET"):
        open_channels(section)
    (tmp_path / "notices-ca.pem").write_text("no certificates")
    with refused(NotFound, "NOTICES_FILE"):
        open_channels(section)

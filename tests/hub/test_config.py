"""Settings: what is refused and how it is said; defaults that are safe."""

from pathlib import Path

import pytest

from village_core.settings import SettingsError
from village_hub.config import Config, read


def settings(tmp_path: Path, text: str, **environ: str) -> Config:
    file = tmp_path / "hub.toml"
    file.write_text(text)
    return read(file, environ)


def test_without_any_file_the_hub_is_for_this_machine_alone() -> None:
    config = read(None, {})
    assert config.listen.hosts == ["127.0.0.1"]
    assert config.metrics.host == "127.0.0.1"
    assert not config.tls.on
    assert config.url == "http://127.0.0.1:8443"
    assert config.database_url.startswith("sqlite:////")
    assert config.media.port == 8189


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('nmae = "x"', 'unknown key "nmae"; did you mean "name"?'),
        ("[lissten]\nport = 1", 'did you mean "listen"?'),
        ("[listen]\nprot = 1", 'did you mean "port"?'),
        ("[listen]\nport = 70000", "outside 0 to 65535"),
        ('[listen]\nport = "8443"', "a whole number"),
        ("[listen]\nhosts = []", "hosts is empty"),
        ('tier = "city"', "village, township, bureau"),
        ('name = ""', "1 to 80"),
        ('[listen]\nhosts = ["192.0.2.1"]', "plain HTTP is for loopback only"),
        ('[listen]\nhosts = ["*"]\n[tls]\nown_ca = true', "public_url is needed"),
        ('[tls]\ncertificate_file = "a"', "belong together"),
        ('[tls]\nown_ca = true\ncertificate_file = "a"\nprivate_key_file = "b"', "exclude"),
        ('public_url = "hub.test"', "public_url is to be https"),
        ('public_url = "https://hub.test/x"', "no path"),
        ('public_url = "http://hub.test"', "begin with https"),
        ('public_url = "http://127.0.0.1:1"\n[tls]\nown_ca = true', "begin with https"),
        ('[proxy]\ntrusted = ["nginx"]', "nginx"),
        ('[media]\naddresses = ["eth0"]', "eth0"),
        ('[turn]\nurls = ["turn:t:1"]', "secret_file"),
        ('[turn]\nurls = ["http://t"]\nsecret_env = "T"', "turn: or turns:"),
        ('[turn]\nsecret = "x"', "is a secret"),
        ("[turn]\nlifetime = 7200", "60 to 3600"),
        ("[limits]\nmedia_per_minute = 0", "outside"),
        ("name = ", "is not TOML"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=r"hub\.toml") as refused:
        settings(tmp_path, text, T="secret")
    assert sentence in str(refused.value)


def test_the_environment_overrides_by_section(tmp_path: Path) -> None:
    config = settings(
        tmp_path,
        'name = "a"\n[listen]\nport = 1',
        SECURITY_VILLAGE_NAME="b",
        SECURITY_VILLAGE_LISTEN__PORT="2",
        SECURITY_VILLAGE_MEDIA__ADDRESSES="192.0.2.1, 2001:db8::1",
        SECURITY_VILLAGE_TLS__OWN_CA="true",
    )
    assert (config.name, config.listen.port, config.tls.own_ca) == ("b", 2, True)
    assert config.media.addresses == ["192.0.2.1", "2001:db8::1"]
    with pytest.raises(SettingsError, match="did you mean"):
        settings(tmp_path, "", SECURITY_VILLAGE_LISTEN__PROT="2")


def test_a_secret_is_read_from_a_closed_file_or_the_environment(tmp_path: Path) -> None:
    secret = tmp_path / "turn.secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    text = '[turn]\nurls = ["turn:t:1"]\nsecret_file = "turn.secret"'
    config = settings(tmp_path, text)
    assert config.turn.secret is not None
    assert config.turn.secret.reveal() == "s3cret"
    assert "s3cret" not in repr(config)
    secret.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        settings(tmp_path, text)


def test_the_databases_password_stands_in_a_file_of_its_own(tmp_path: Path) -> None:
    """And is put into the URL as it is, whatever it is made of."""
    secret = tmp_path / "password"
    secret.write_text("p@ss/w:rd\n")
    secret.chmod(0o600)
    text = '[database]\nurl = "postgresql://hub@db.example/hub?sslmode=verify-full"\n'
    config = settings(tmp_path, text + 'password_file = "password"')
    assert config.database_url == (
        "postgresql://hub:p%40ss%2Fw%3Ard@db.example/hub?sslmode=verify-full"
    )
    assert "p@ss" not in repr(config)
    assert settings(tmp_path, text + 'password_env = "PW"', PW="x").database_url == (
        "postgresql://hub:x@db.example/hub?sslmode=verify-full"
    )


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "needs a user"),
        ("sqlite:////tmp/x", "needs a user"),
        ("postgresql://hub:seen@localhost/hub", "has a password already"),
    ],
)
def test_a_password_that_belongs_to_nothing_is_refused(
    tmp_path: Path, url: str, sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence) as refused:
        settings(tmp_path, f'[database]\nurl = "{url}"\npassword_env = "PW"', PW="s3cret")
    assert "s3cret" not in str(refused.value)
    assert "seen" not in str(refused.value)


@pytest.mark.parametrize(
    "place", ["db.example/hub", "db.example/hub?sslmode=require", "/hub?host=db.example"]
)
def test_a_database_elsewhere_is_reached_sealed_and_proven_or_not_at_all(
    tmp_path: Path, place: str
) -> None:
    with pytest.raises(SettingsError, match="verify-full"):
        settings(tmp_path, f'[database]\nurl = "postgresql://hub@{place}"\n')


@pytest.mark.parametrize(
    "place",
    ["localhost/hub", "127.0.0.1:5433/hub", "[::1]/hub", "/hub?host=/run/postgresql", "/hub"],
)
def test_a_database_on_this_machine_needs_no_certificate(tmp_path: Path, place: str) -> None:
    config = settings(tmp_path, f'[database]\nurl = "postgresql://{place}"\n')
    assert config.database_url.endswith(place)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = settings(tmp_path, 'state = "state"')
    assert config.state == tmp_path / "state"
    assert config.database_url == f"sqlite:///{tmp_path}/state/hub.sqlite"


def test_addresses_are_said_as_urls(tmp_path: Path) -> None:
    six = settings(tmp_path, '[listen]\nhosts = ["::1"]\nport = 1')
    assert six.url == "http://[::1]:1"
    proxied = settings(
        tmp_path,
        'public_url = "https://hub.test/"\n[listen]\nhosts = ["*"]\n'
        '[proxy]\ntrusted = ["10.0.0.1"]',
    )
    assert proxied.url == "https://hub.test"


def test_every_setting_says_why_its_default_is_what_it_is() -> None:
    """style.md, pattern 11: where a default is a choice, its reason stands beside it."""
    lines = Path("village_hub/config.py").read_text().splitlines()
    numbers = [line for line in lines if ": int = " in line]
    assert numbers
    assert [line for line in numbers if "#" not in line] == []

"""home_agent/config.py: the agent's TOML (DEV-1, CAM-6, CAM-11)."""

from pathlib import Path
from typing import Any

import pytest

from home_agent.config import Config, check_hub_url, read
from village_core.permits import CameraClass
from village_core.settings import SettingsError

GATE = {"name": "大门", "main": "rtsp://192.0.2.1/stream1"}


def written(folder: Path, text: str) -> Path:
    file = folder / "agent.toml"
    file.write_text(text)
    return file


def test_a_camera_needs_little_and_is_quiet_by_default(tmp_path: Path) -> None:
    """CAM-11: audio off by default; H.265 is not transcoded unless asked."""
    file = written(tmp_path, '[cameras.gate]\nname = "大门"\nmain = "rtsp://192.0.2.1/1"\n')
    gate = read(file, {}).cameras["gate"]
    assert (gate.audio, gate.transcode, gate.udp, gate.mask) == (False, False, False, [])


def test_a_camera_of_which_nothing_is_said_counts_as_inside_a_home(tmp_path: Path) -> None:
    """Requirements section 1: the class that is shared least; `class` is the key in the file."""
    lines = '[cameras.{}]\nname = "x"\nmain = "test:"\n'
    said = lines.format("b") + 'class = "H-OUT"\n'
    file = written(tmp_path, lines.format("a") + said)
    cameras = read(file, {}).cameras
    assert (cameras["a"].class_, cameras["b"].class_) == (CameraClass.H_IN, CameraClass.H_OUT)


def test_without_a_file_the_defaults_hold() -> None:
    config = read(None, {"HOME_AGENT_STATE": "/tmp/x", "HOME_AGENT_LAN__PORT": "0"})
    assert (config.state, config.lan.port, config.cameras) == (Path("/tmp/x"), 0, {})


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('main = "rtsp://u:p@192.0.2.1/1"', "main holds a password"),
        ('main = "http://192.0.2.1/1"', "main is to begin with one of rtsp:"),
        ('main = "rtsp:///1"', "main names no host"),
        ('main = "rtsp://[::1/1"', "main is not an address"),
        ('main = "test:"\nsnapshot = "ftp://x"', "snapshot is to be an http"),
        ('main = "test:"\nsnapshot = "http://u@x/"', "snapshot holds a user"),
        ('main = "test:"\nmask = [[[0, 0], [1, 1]]]', "at least 3 points"),
        ('main = "test:"\nmask = [[[0, 0], [1, 1], [1, 2]]]', "each 0 to 1"),
        ("", "needs main, sub or onvif"),
        ('main = "test:"\npassword = "hunter2"', "is a secret: give password_file"),
        ('main = "test:"\nclass = "P8"', "class is to be one of H-IN, H-OUT, P9, P7"),
        ('main = "test:"\nclass_ = "P9"', 'unknown key "class_"; did you mean "class"?'),
        ('main = "test:"\nmian = "x"', 'cameras.gate: unknown key "mian"; did you mean "main"?'),
    ],
)
def test_a_camera_set_wrongly_is_refused_in_words(tmp_path: Path, line: str, says: str) -> None:
    file = written(tmp_path, f'[cameras.gate]\nname = "x"\n{line}\n')
    with pytest.raises(SettingsError) as caught:
        read(file, {})
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    "table",
    [{"cameras": {"Gate 1": GATE}}, {"lan": {"tls": False}}, {"lan": {"port": 70_000}}],
)
def test_other_sections_are_checked_too(tmp_path: Path, table: dict[str, Any]) -> None:
    lines = {
        "cameras": '[cameras."Gate 1"]\nname = "x"\nmain = "test:"',
        "lan": f"[lan]\n{_toml(table.get('lan', {}))}",
    }
    with pytest.raises(SettingsError):
        read(written(tmp_path, lines[next(iter(table))]), {})


def _toml(table: dict[str, Any]) -> str:
    return "\n".join(f"{key} = {str(value).lower()}" for key, value in table.items())


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.1", "ftp://x", "https://", "https://u:p@x", "https://x?q", "https://x:y"],
)
def test_a_hub_is_reached_by_https_only(url: str) -> None:
    with pytest.raises(SettingsError):
        check_hub_url(url)


def test_plain_http_is_for_loopback() -> None:
    check_hub_url("http://127.0.0.1:8080")
    check_hub_url("https://hub.example")


def test_a_password_never_shows_itself(tmp_path: Path) -> None:
    """CAM-6, AUD-9: neither the settings nor their errors print it."""
    (tmp_path / "gate.password").write_text("hunter2")
    (tmp_path / "gate.password").chmod(0o600)
    text = '[cameras.gate]\nname = "x"\nmain = "test:"\npassword_file = "gate.password"\n'
    config = read(written(tmp_path, text), {})
    assert isinstance(config, Config)
    assert config.cameras["gate"].password is not None
    assert config.cameras["gate"].password.reveal() == "hunter2"
    assert "hunter2" not in repr(config)

"""A real village for tests and benches: `village-hub serve` and `home-agent run`, by command line.

    with Village.begin(folder, media=["192.0.2.1"]) as village:
        home = village.home("张家", {"gate": "test:?size=640x360"})
        client = village.client("张家")
        client.media_token(client.camera("gate"))

Where they run is up to `place`: a command is put behind it (`ip netns exec NAME`).
"""

import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
PATIENCE = 30.0  # seconds


@dataclass(slots=True)
class Program:
    """One of our programs, running."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for(self, sentence: str, within: float = PATIENCE, after: int = 0) -> int:
        """Until its log says `sentence`, a regular expression; where in the log that was."""
        deadline = time.monotonic() + within
        while True:
            text = self.log.read_text(errors="replace")
            if found := re.compile(sentence).search(text, after):
                return found.end()
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"never said “{sentence}”:\n{text[-4000:]}")
            time.sleep(0.02)

    def stop(self, within: float = 15) -> int:
        """SIGTERM; its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@dataclass(slots=True)
class Home:
    """One household's agent."""

    village: "Village"
    name: str
    config: Path
    place: Sequence[str]
    agent: Program | None = None

    def start(self) -> Program:
        self.agent = self.village.start(
            self.name, [*self.place, str(BIN / "home-agent"), "run", "--config", str(self.config)]
        )
        return self.agent

    @property
    def pid(self) -> int:
        assert self.agent
        return self.agent.pid


@dataclass(slots=True)
class Village:
    """The hub, its folder, and what was started with it."""

    folder: Path
    url: str
    config: Path
    place: Sequence[str]
    hub: Program | None = None
    _cookies: dict[str, str] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    @classmethod
    @contextmanager
    def begin(
        cls,
        folder: Path,
        url: str,
        settings: Mapping[str, Any],
        *,
        place: Sequence[str] = (),
    ) -> Iterator[Self]:
        """The hub at `url`, with `settings` of hub.toml as a nested mapping; all ends with it."""
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "hub.toml"
        whole = {"name": "西村", "state": "hub", "public_url": url, **settings}
        config.write_text(toml(whole))
        with ExitStack() as stack:
            made = cls(folder, url, config, place, _stack=stack)
            made.start_hub()
            yield made

    @property
    def pid(self) -> int:
        assert self.hub
        return self.hub.pid

    def start_hub(self) -> Program:
        command = [str(BIN / "village-hub"), "serve", "--config", str(self.config)]
        self.hub = self.start("hub", [*self.place, *command])
        self.hub.wait_for(r"is ready at")
        return self.hub

    def start(self, name: str, command: Sequence[str]) -> Program:
        log = self.folder / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder
            )
        program = Program(process, log)
        self._stack.callback(program.stop)
        return program

    def do(self, *words: str) -> list[str]:
        """One command of the hub's command line; the lines it prints."""
        command = [*self.place, str(BIN / "village-hub"), *words, "--config", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise AssertionError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout.splitlines()

    def household(self, name: str) -> None:
        """With one owner, of the same name."""
        self.do("households", "add", name)
        self.do("people", "add", name, "--household", name)

    def sign_in_code(self, name: str) -> str:
        """For their first way in: nobody is appointed here, so any further one has to be theirs."""
        return self.sign_in_link(name).split("#code=", 1)[1]

    def client(self, name: str) -> "Client":
        """Somebody signed in: by their first code, or in the session that it opened."""
        if name not in self._cookies:
            self._cookies[name] = Client(self.url, self.sign_in_code(name)).cookie
        return Client(self.url, cookie=self._cookies[name])

    def sign_in_link(self, name: str) -> str:
        return self.do("codes", "sign-in", name)[-1]

    def know(self, name: str, code: str) -> None:
        """Somebody who got their code otherwise."""
        self._cookies[name] = Client(self.url, code).cookie

    def push_camera(self, name: str, household: str) -> tuple[str, str]:
        """A camera that pushes by itself: its WHIP address and bearer token."""
        lines = "\n".join(self.do("cameras", "add-push", name, "--household", household))
        found = re.search(r"WHIP address:\s+(\S+)\nBearer token:\s+(\S+)", lines)
        assert found, lines
        return found[1], found[2]

    def home(
        self,
        name: str,
        cameras: Mapping[str, Mapping[str, Any]],
        *,
        place: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> Home:
        """A household with an enrolled agent, not started. `cameras` are its config's tables."""
        self.household(name)
        folder = self.folder / name
        folder.mkdir()
        tables = {key: {"name": key, **table} for key, table in cameras.items()}
        quiet = {"enabled": False}
        whole = {"state": "state", "lan": quiet, **(settings or {}), "cameras": tables}
        (folder / "agent.toml").write_text(toml(whole))
        home = Home(self, name, folder / "agent.toml", place)
        qr = self.do("enrolments", "new", name)[-1]
        enrol = [str(BIN / "home-agent"), "enrol", "--config", str(home.config), qr]
        done = subprocess.run(
            [*place, *enrol], capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            raise AssertionError(f"enrol: {done.stdout}{done.stderr}")
        return home


def toml(table: Mapping[str, Any], prefix: str = "") -> str:
    """The plain part of TOML that settings need; strings in JSON's form, which TOML shares."""
    values = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += [f"\n[{prefix}{key}]", toml(value, f"{prefix}{key}.")]
    return "\n".join(lines)


class Client:
    """A person at the hub's API, over plain HTTP or TLS that is not verified."""

    def __init__(self, url: str, code: str = "", *, cookie: str = "") -> None:
        self._base = urlsplit(url)
        self._cookie = cookie
        if code:
            status, _, headers = self.call("POST", "/api/v1/sign-in", {"code": code})
            assert status == 200, status
            self._cookie = headers["Set-Cookie"].split(";", 1)[0]

    @property
    def cookie(self) -> str:
        return self._cookie

    def call(
        self, method: str, path: str, body: Any = None
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        connection = self._connection()
        try:
            headers = {"Cookie": self._cookie} if self._cookie else {}
            if method != "GET":
                headers["Origin"] = f"{self._base.scheme}://{self._base.netloc}"
            if body is not None:
                headers["Content-Type"] = "application/json"
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            data = answer.read()
            said = json.loads(data) if "json" in (answer.headers["Content-Type"] or "") else data
            return answer.status, said, answer.headers
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._base.hostname or "", self._base.port
        if self._base.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=PATIENCE)
        context = ssl._create_unverified_context()
        return http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=context)

    def cameras(self) -> list[dict[str, Any]]:
        status, said, _ = self.call("GET", "/api/v1/cameras")
        assert status == 200, said
        found: list[dict[str, Any]] = said["cameras"]
        return found

    def camera(self, name: str, within: float = PATIENCE) -> str:
        """The id of a camera, once it is online."""
        deadline = time.monotonic() + within
        while True:
            cameras = self.cameras()
            for one in cameras:
                if one["name"] == name and one["online"]:
                    return str(one["id"])
            if time.monotonic() > deadline:
                raise AssertionError(f"{name} did not come online: {cameras}")
            time.sleep(0.1)

    def media_token(self, camera: str) -> str:
        status, said, _ = self.call("POST", f"/api/v1/cameras/{camera}/media-token")
        assert status == 200, said
        return str(said["token"])


def until(true: Callable[[], Any], within: float = PATIENCE, every: float = 0.05) -> Any:
    """Poll until it is true; its value."""
    deadline = time.monotonic() + within
    while not (value := true()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s")
        time.sleep(every)
    return value


def main(url: str, code: str, camera: str, count: str) -> None:
    """Inside a namespace: sign in and print `count` media tokens for a camera, once online."""
    client = Client(url, code)
    name = client.camera(camera)
    tokens = [client.media_token(name) for _ in range(int(count))]
    print(json.dumps({"camera": name, "tokens": tokens, "cookie": client._cookie}))


if __name__ == "__main__":
    sys.path.insert(0, os.fspath(ROOT))
    main(*sys.argv[1:])

"""Many homes' boxes in one process, for bench/uplinks.py: the product's own uplink, many times.

`python -m bench.boxes BOXES.json KEY` prints five times a second how many of them are
connected.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from village_core.clock import SYSTEM_CLOCK
from village_core.jobs import Supervisor
from village_core.keys import SigningKey
from village_core.messages import AgentStatus, Hello
from village_core.tokens import Issuer, Kind
from village_core.uplink import LONGEST_PAUSE, UPLINK_ERRORS, Dial, Uplink

EVERY = 0.2  # seconds between lines
AT_ONCE = 40  # dial first within EVERY; later as each one's own pause says


@dataclass(frozen=True, slots=True)
class Box:
    """`hub`: whom its tokens are for. All have one key, which the hub looks up for each."""

    node: str
    hub: str
    url: str


class Boxes:
    def __init__(self, http: aiohttp.ClientSession, key: SigningKey) -> None:
        self._http = http
        self._key = key
        self._supervisor = Supervisor()
        self._uplinks: list[Uplink] = []

    @property
    def connected(self) -> int:
        return sum(each.connected for each in self._uplinks)

    def start(self, box: Box) -> None:
        issuer = Issuer(box.node, self._key, SYSTEM_CLOCK)

        def token() -> str:
            return issuer.mint(Kind.NODE, subject=box.node, audience=box.hub)

        async def dial() -> Dial:
            return Dial(self._http, box.url, token())

        def up(_hello: Hello) -> None:
            _ = self._supervisor.once(f"status of {box.node}", self._tell(box, token()))

        uplink = Uplink(dial, [], self._supervisor, on_connected=up)
        self._uplinks.append(uplink)
        name = f"uplink of {box.node}"
        self._supervisor.start(
            name, uplink.run, expected=UPLINK_ERRORS, longest_pause=LONGEST_PAUSE
        )

    async def _tell(self, box: Box, token: str) -> None:
        said = AgentStatus(version="bench", privacy_off=False, cameras=[])
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = f"{box.url}/api/v1/node/status"
        data = said.model_dump_json()
        try:
            async with self._http.put(url, data=data, headers=headers) as answer:
                await answer.read()
        except UPLINK_ERRORS:
            return


async def run(boxes: list[Box], key: SigningKey) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        crowd = Boxes(http, key)
        for at, box in enumerate(boxes):
            crowd.start(box)
            if at % AT_ONCE == 0:
                await asyncio.sleep(EVERY)
        while True:
            print(crowd.connected, flush=True)
            await asyncio.sleep(EVERY)


def main() -> None:
    boxes = [Box(**each) for each in json.loads(Path(sys.argv[1]).read_text())]
    key = SigningKey.load(Path(sys.argv[2]))
    asyncio.run(run(boxes, key))


if __name__ == "__main__":
    main()

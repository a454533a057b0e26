"""Many light viewers in one process, of our hub (WHEP) or of Janus' streaming plugin.

Run by a bench: `python -m bench.viewers`, then one JSON object a line on stdin:

    {"endpoint": URL, "bearers": [...], "host": ADDRESS}        WHEP viewers, one per bearer
    {"janus": URL, "count": N, "host": ADDRESS}                 Janus viewers
    {"count_for": SECONDS}                                      what arrives from now on
    {"leave": true}                                             say goodbye and end

and one object a line on stdout. Viewers read the RTP header, which SRTP leaves clear, and count
gaps; each sends a receiver report a second, and a NACK for every gap. No socket has UDP_GRO, so the
kernel's cutting of packets is charged to the server that sends them. All offer AES-GCM of 128 bits
alone, so that both servers encrypt alike.
"""

import asyncio
import json
import re
import sys
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from aioice import stun

from bench.janus import STREAM, Handle
from tests.support import peers
from village_core.jobs import Supervisor
from village_core.media import rtcp
from village_core.transport.dtls import PROFILES

REPORT_EVERY = 1.0  # seconds
AT_A_TIME = 10  # viewers joining at once


@dataclass(slots=True)
class Seen:
    """What one viewer has received."""

    packets: int = 0
    lost: int = 0
    highest: int = -1
    source: bytes = b""  # the SSRC


class Viewer(peers.LightPeer):
    """Counts by header; asks again for what is missing, and reports."""

    def __init__(self, supervisor: Supervisor, host: str, *, controlled: bool = False) -> None:
        super().__init__(supervisor, deaf=True, host=host, srtp_profiles=PROFILES[:1])
        self.controlled = controlled  # of two full agents, the one that did not offer
        self.seen = Seen()

    def _count(self, size: int, rtp: list[bytes]) -> None:
        view = peers._inbound.view
        if 191 < view[1] < 224:
            return  # RTCP
        seen = self.seen
        seen.packets += 1
        number = view[2] << 8 | view[3]
        if seen.highest < 0:
            seen.highest, seen.source = number, bytes(view[8:12])
        elif view[8:12] == seen.source:
            step = (number - seen.highest + 0x8000 & 0xFFFF) - 0x8000
            if step > 1:
                self._miss(step - 1)
            if step > 0:
                seen.highest += step
            else:
                seen.lost = max(0, seen.lost - 1)

    def _miss(self, count: int) -> None:
        first = self.seen.highest + 1
        self.seen.lost += count
        numbers = tuple((first + at) & 0xFFFF for at in range(min(count, 100)))
        self._tell(rtcp.Nack(self.ssrc, int.from_bytes(self.seen.source), numbers))

    def check(self, *, nominate: bool = True) -> bytes:
        """Janus offered, so it is the one that nominates (RFC 8445 section 6.1.1)."""
        if not self.controlled:
            return super().check(nominate=nominate)
        assert self.answer is not None
        there = self.answer.transport
        name = f"{there.ufrag}:{self.ufrag}"
        return peers.build_check(name, there.pwd, nominate=False, controlled=True)

    def _on_stun(self, data: bytes) -> None:
        message = stun.parse_message(data)
        if message.message_class == stun.Class.REQUEST:
            answer = stun.Message(
                message.message_method, stun.Class.RESPONSE, message.transaction_id
            )
            answer.attributes["XOR-MAPPED-ADDRESS"] = self.server
            answer.add_message_integrity(self.pwd.encode())
            self._write(bytes(answer))
        else:
            super()._on_stun(data)

    def report(self) -> None:
        seen = self.seen
        if seen.highest >= 0:
            source = int.from_bytes(seen.source)
            self._tell(rtcp.ReportBlock(source, 0, seen.lost, seen.highest, 0, 0, 0))

    def _tell(self, what: rtcp.Nack | rtcp.ReportBlock) -> None:
        if self.sender is None:
            return
        if isinstance(what, rtcp.ReportBlock):
            self.send_rtcp(rtcp.build(rtcp.ReceiverReport(self.ssrc, (what,))))
        else:
            self.send_rtcp(rtcp.build(rtcp.ReceiverReport(self.ssrc), what))


def answer_to_janus(offer: str, peer: Viewer) -> str:
    """Janus offers; we take its H.264 as it stands."""

    def line(name: str) -> str:
        found = re.search(rf"^a={name}:.*$", offer, flags=re.MULTILINE)
        return found[0].strip() if found else ""

    kind = re.search(r"^m=video \d+ UDP/TLS/RTP/SAVPF (\d+)", offer, flags=re.MULTILINE)
    assert kind
    address, port = peer.socket.getsockname()[:2]
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        line("group"),
        f"m=video 9 UDP/TLS/RTP/SAVPF {kind[1]}",
        "c=IN IP4 0.0.0.0",
        line("mid"),
        "a=recvonly",
        "a=rtcp-mux",
        f"a=ice-ufrag:{peer.ufrag}",
        f"a=ice-pwd:{peer.pwd}",
        f"a=fingerprint:sha-256 {peer.certificate.fingerprint.value}",
        "a=setup:active",
        f"a=rtpmap:{kind[1]} H264/90000",
        f"a=fmtp:{kind[1]} profile-level-id=42e01f;packetization-mode=1",
        *(f"a=rtcp-fb:{kind[1]} {each}" for each in ("nack", "nack pli", "ccm fir")),
        f"a=candidate:1 1 udp 2130706431 {address} {port} typ host",
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"


class Crowd:
    """All viewers of this process."""

    def __init__(self, http: ClientSession, supervisor: Supervisor) -> None:
        self.http = http
        self.supervisor = supervisor
        self.viewers: list[Viewer] = []
        self._handles: list[Handle] = []
        self._locations: list[tuple[str, str]] = []
        self._turn = asyncio.Semaphore(AT_A_TIME)
        supervisor.start("reports", self._report)

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        if "endpoint" in order:
            joins = [self._join(order, bearer) for bearer in order["bearers"]]
        elif "janus" in order:
            joins = [self._join_janus(order) for _ in range(order["count"])]
        elif "count_for" in order:
            return await self._count(order["count_for"])
        else:
            await self._leave()
            return {"left": True}
        await asyncio.gather(*joins)
        profiles = {viewer.keys.profile for viewer in self.viewers if viewer.keys}
        return {"joined": len(self.viewers), "profiles": sorted(profiles)}

    async def _join(self, order: dict[str, Any], bearer: str) -> None:
        viewer = Viewer(self.supervisor, order["host"])
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {bearer}"}
        async with (
            self._turn,
            self.http.post(order["endpoint"], data=viewer.offer, headers=headers) as response,
        ):
            text = await response.text()
            if response.status != 201:
                raise RuntimeError(f"{response.status}: {text}")
            location = str(response.url.join(response.url.with_path(response.headers["Location"])))
            await viewer.connect(text)
        self.viewers.append(viewer)
        self._locations.append((location, bearer))

    async def _join_janus(self, order: dict[str, Any]) -> None:
        viewer = Viewer(self.supervisor, order["host"], controlled=True)
        async with self._turn:
            handle = await Handle.attach(self.http, order["janus"], "streaming")
            _, offer = await handle.ask({"request": "watch", "id": STREAM})
            jsep = {"type": "answer", "sdp": answer_to_janus(offer, viewer)}
            await handle.ask({"request": "start"}, jsep)
            await viewer.connect(offer.replace("a=setup:actpass", "a=setup:passive"))
        self.viewers.append(viewer)
        self._handles.append(handle)

    async def _count(self, seconds: float) -> dict[str, Any]:
        before = [(viewer.seen.packets, viewer.seen.lost) for viewer in self.viewers]
        await asyncio.sleep(seconds)
        pairs = list(zip(before, self.viewers, strict=True))
        counts = [viewer.seen.packets - packets for (packets, _), viewer in pairs]
        lost = sum(viewer.seen.lost - missed for (_, missed), viewer in pairs)
        return {"packets": sum(counts), "least": min(counts), "most": max(counts), "lost": lost}

    async def _leave(self) -> None:
        for viewer in self.viewers:
            viewer.close()
        for location, bearer in self._locations:
            headers = {"Authorization": f"Bearer {bearer}"}
            async with self.http.delete(location, headers=headers):
                pass
        for handle in self._handles:
            await handle.detach()

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY)
            for viewer in self.viewers:
                viewer.report()


async def main() -> None:
    supervisor = Supervisor()
    connector = TCPConnector(limit=0, ssl=False)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=60)) as http:
        crowd = Crowd(http, supervisor)
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            print(json.dumps(await crowd.obey(order)), flush=True)
            if "leave" in order:
                break
        await supervisor.stop()


if __name__ == "__main__":
    asyncio.run(main())

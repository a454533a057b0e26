"""The camera as plain RTP to one address, in real time: what Janus' streaming plugin takes in.

`python -m bench.feed HOST PORT` runs until it is ended.
"""

import itertools
import socket
import sys
import time

from bench.camera import FPS, pictures
from village_core.media import rfc6184, rtp

PAYLOAD_TYPE, SSRC = 96, 0x5EC0_0001


def main(host: str, port: int) -> None:
    frames = [rfc6184.packetise(unit.nals) for unit in pictures()]
    number, began = 0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for count, payloads in enumerate(itertools.cycle(frames)):
            time.sleep(max(0.0, began + count / FPS - time.monotonic()))
            stamp = count * 90_000 // FPS & 0xFFFFFFFF
            for payload in payloads:
                last = payload is payloads[-1]
                packet = rtp.build(PAYLOAD_TYPE, number, stamp, SSRC, payload, marker=last)
                out.sendto(packet, (host, port))
                number = number + 1 & 0xFFFF


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""Datagrams for the lab's own tests: `lab_udp.py send|count|echo|ask ...` inside a namespace.

send HOST PORT COUNT SIZE PACKETS_PER_SECOND [segments]   one call per `segments` datagrams (GSO)
count PORT SECONDS       prints "ready", then datagrams and bytes received until it is quiet so long
echo PORT [PORT]         answers each datagram with its sender's address, from each port
ask HOST PORT [LOCAL]    a question to an echo, repeated for 2.5 s; prints the answer or "silence"
knock HOST PORT LOCAL    one datagram from a chosen local port, no answer awaited
"""

import select
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

UDP_SEGMENT = 103


def opened(port: int = 0) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("0.0.0.0", port))
    return made


def send(host: str, port: str, count: str, size: str, pace: str, segments: str = "1") -> None:
    length, each = int(size), int(segments)
    out = opened()
    if each > 1:
        out.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, length)
    began = time.monotonic()
    for number in range(int(count) // each):
        out.sendto(bytes(length * each), (host, int(port)))
        time.sleep(max(0.0, began + (number + 1) * each / float(pace) - time.monotonic()))


def count(port: str, quiet: str) -> None:
    inward, packets, size, first, last = opened(int(port)), 0, 0, 0.0, 0.0
    inward.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    print("ready", flush=True)
    inward.settimeout(20)
    try:
        while True:
            size += len(inward.recv(65_535))
            packets, last, first = packets + 1, time.monotonic(), first or time.monotonic()
            inward.settimeout(float(quiet))
    except TimeoutError:
        print(packets, size, f"{last - first:.3f}", flush=True)


def echo(*ports: str) -> None:
    sockets = [opened(int(port)) for port in ports]
    print("ready", flush=True)
    while True:
        for ready in select.select(sockets, [], [])[0]:
            _, (host, port) = ready.recvfrom(65_535)
            ready.sendto(f"{host}:{port}".encode(), (host, port))


def ask(host: str, port: str, local: str = "0") -> None:
    out = opened(int(local))
    out.settimeout(0.5)
    for _ in range(5):  # a router that found nobody behind a dead link throws its queue away
        out.sendto(b"who am I", (host, int(port)))
        with suppress(TimeoutError):
            print(out.recv(100).decode())
            return
    print("silence")


def knock(host: str, port: str, local: str) -> None:
    opened(int(local)).sendto(b"knock", (host, int(port)))


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {
        one.__name__: one for one in (send, count, echo, ask, knock)
    }
    commands[sys.argv[1]](*sys.argv[2:])

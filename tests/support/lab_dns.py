"""The lab's DNS server: answers A from names.json, all else with NXDOMAIN, and notes each question.

Run as a script inside the lab's internet: `lab_dns.py ADDRESS FOLDER`.
"""

import ipaddress
import json
import socket
import struct
import sys
from pathlib import Path

A, IN = 1, 1


def question(query: bytes) -> tuple[str, int, int]:
    """Name, type and the offset behind the first question (RFC 1035 section 4.1.2)."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode(errors="replace"))
        at += 1 + length
    kind = struct.unpack_from("!H", query, at + 1)[0]
    return ".".join(labels).lower(), kind, at + 5


def answer(query: bytes, names: dict[str, str], end: int, name: str, kind: int) -> bytes:
    known = name in names
    answers = [names[name]] if known and kind == A else []
    flags = 0x8580 | (0 if known else 3)  # authoritative, recursion available; NXDOMAIN
    header = query[:2] + struct.pack("!5H", flags, 1, len(answers), 0, 0)
    records = b"".join(
        struct.pack("!HHHIH", 0xC00C, A, IN, 5, 4) + ipaddress.IPv4Address(one).packed
        for one in answers
    )
    return header + query[12:end] + records


def main() -> None:
    address, folder = sys.argv[1], Path(sys.argv[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        print("ready", flush=True)
        while True:
            query, peer = server.recvfrom(4096)
            name, kind, end = question(query)
            with (folder / "asked").open("a") as asked:
                asked.write(f"{name}\n")
            names = json.loads((folder / "names.json").read_text())
            server.sendto(answer(query, names, end, name, kind), peer)


if __name__ == "__main__":
    main()

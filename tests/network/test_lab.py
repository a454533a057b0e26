"""The lab tests itself first: a fault that is not there proves nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lab import DOWN, NETNS_ETC, PREFIX, UP, Host, Lab

UDP = str(Path(__file__).parent.parent / "support/lab_udp.py")


def udp(host: Host, *args: object) -> str:
    return host.run(sys.executable, UDP, *map(str, args)).strip()


def started(host: Host, *args: object) -> "subprocess.Popen[str]":
    process = host.start(sys.executable, UDP, *map(str, args), stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def counted(process: "subprocess.Popen[str]") -> tuple[int, int, float]:
    output, _ = process.communicate(timeout=30)
    packets, size, seconds = output.split()
    return int(packets), int(size), float(seconds)


def spaces() -> str:
    return subprocess.run(
        ["ip", "netns", "list"], capture_output=True, text=True, check=True
    ).stdout


def test_a_frame_sent_in_one_call_travels_as_single_packets(lab: Lab) -> None:
    """Without this a 5% loss rule would drop whole frames instead of packets."""
    sender = lab.internet.host("a", "203.0.113.10")
    carrier = lab.internet.nat("carrier", "203.0.113.20", inside="100.64.1.0/24")
    receiver = lab.internet.host("b", "203.0.113.30")
    home = carrier.inside.host("home", "100.64.1.2")
    for origin in (sender, home):
        counter = started(receiver, "count", 5000, 2)
        before = receiver.link.counts(DOWN)[0]
        udp(origin, "send", receiver.address, 5000, 200, 1000, 2000, 20)
        assert counted(counter)[:2] == (200, 200_000)
        assert receiver.link.counts(DOWN)[0] - before >= 200
        assert origin.link.counts(UP)[0] >= 200


def test_loss_drops_what_it_says_and_nothing_else(lab: Lab) -> None:
    sender = lab.internet.host("a", "203.0.113.10")
    receiver = lab.internet.host("b", "203.0.113.30")
    sender.link.lose(percent=5, way=UP)
    receiver.link.lose(percent=5, way=DOWN)
    counter = started(receiver, "count", 5000, 2)
    udp(sender, "send", receiver.address, 5000, 4000, 500, 4000, 10)
    received = counted(counter)[0]
    lost = sender.link.counts(UP)[1] + receiver.link.counts(DOWN)[1]
    assert abs(received + lost - 4000) <= 3  # an ARP question or so may have been lost as well
    assert 4000 * 0.07 < lost < 4000 * 0.13  # 9.75%, and 6 standard deviations
    sender.link.mend()
    receiver.link.mend()
    counter = started(receiver, "count", 5000, 2)
    udp(sender, "send", receiver.address, 5000, 400, 500, 4000, 10)
    assert counted(counter)[0] == 400


def test_a_bottleneck_lets_its_rate_through(lab: Lab) -> None:
    sender = lab.internet.host("a", "203.0.113.10")
    receiver = lab.internet.host("b", "203.0.113.30")
    receiver.link.rate(1_000_000)
    counter = started(receiver, "count", 5000, 2)
    udp(sender, "send", receiver.address, 5000, 600, 1000, 200)  # 1.6 Mbit/s for 3 s
    packets, size, seconds = counted(counter)
    assert 0.85e6 < size * 8 / seconds < 1.1e6
    assert packets < 550


def test_a_nat_hides_its_inside_and_answers_only_whom_it_was_asked_to(lab: Lab) -> None:
    hub = lab.internet.host("hub", "203.0.113.10", name="hub.village.test")
    other = lab.internet.host("other", "203.0.113.11")
    carrier = lab.internet.nat("carrier", "203.0.113.20", inside="100.64.1.0/24")
    router = carrier.inside.nat("router", "100.64.1.2", inside="192.168.8.0/24")
    home = router.inside.host("home", "192.168.8.60")
    echo = started(hub, "echo", 3478, 3479)
    seen = udp(home, "ask", "hub.village.test", 3478, 4000)
    assert seen == "203.0.113.20:4000"
    assert udp(home, "ask", "hub.village.test", 3479, 4000) == seen  # the mapping is kept
    counter = started(home, "count", 4000, 2)
    udp(other, "knock", "203.0.113.20", 4000, 3478)  # another address
    udp(hub, "knock", "203.0.113.20", 4000, 3480)  # another port
    udp(hub, "knock", "203.0.113.20", 4001, 3480)  # a port never used
    echo.terminate()
    echo.wait(10)
    udp(hub, "knock", "203.0.113.20", 4000, 3478)  # whom the home had asked
    assert counted(counter)[0] == 1


def test_a_symmetric_nat_gives_each_destination_another_port(lab: Lab) -> None:
    hub = lab.internet.host("hub", "203.0.113.10")
    carrier = lab.internet.nat("mobile", "203.0.113.40", inside="100.64.2.0/24", symmetric=True)
    phone = carrier.inside.host("phone", "100.64.2.2")
    started(hub, "echo", 3478, 3479)
    first = udp(phone, "ask", hub.address, 3478, 4000)
    second = udp(phone, "ask", hub.address, 3479, 4000)
    assert first.startswith("203.0.113.40:")
    assert second.startswith("203.0.113.40:")
    assert first != second


def test_udp_blocked_leaves_names_and_tcp(lab: Lab) -> None:
    hub = lab.internet.host("hub", "203.0.113.10", name="hub.village.test")
    phone = lab.internet.host("phone", "203.0.113.30")
    started(hub, "echo", 3478)
    assert udp(phone, "ask", "hub.village.test", 3478) != "silence"
    phone.link.block_udp()
    assert udp(phone, "ask", "hub.village.test", 3478) == "silence"
    server = "import socket; s = socket.create_server(('', 80)); print('ready', flush=True)"
    process = hub.start(sys.executable, "-c", server + "; s.accept()", stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    client = "import socket; socket.create_connection(('hub.village.test', 80), 5).close()"
    phone.run(sys.executable, "-c", client)


def test_a_pulled_plug_silences_a_link_until_it_is_back(lab: Lab) -> None:
    hub = lab.internet.host("hub", "203.0.113.10")
    carrier = lab.internet.nat("carrier", "203.0.113.20", inside="100.64.1.0/24")
    home = carrier.inside.host("home", "100.64.1.2")
    started(hub, "echo", 3478)
    assert udp(home, "ask", hub.address, 3478) != "silence"
    carrier.link.down()
    assert udp(home, "ask", hub.address, 3478) == "silence"
    carrier.link.up()
    assert udp(home, "ask", hub.address, 3478) != "silence"
    carrier.renumber("203.0.113.21")
    assert udp(home, "ask", hub.address, 3478).startswith("203.0.113.21:")


def test_the_lab_sees_who_asks_or_speaks_to_strangers(lab: Lab) -> None:
    carrier = lab.internet.nat("carrier", "203.0.113.20", inside="100.64.1.0/24")
    home = carrier.inside.host("home", "100.64.1.2")
    assert lab.strays() == 0
    udp(home, "knock", "192.0.2.77", 19302, 4000)
    assert lab.strays() == 1
    with pytest.raises(RuntimeError):
        udp(home, "knock", "stun.example.org", 19302, 4000)
    assert "stun.example.org" in lab.names_asked()


def test_nothing_is_left_after_a_failure() -> None:
    kept: list[tuple[Host, subprocess.Popen[str]]] = []

    def fail() -> None:
        with Lab() as lab:
            host = lab.internet.host("a", "203.0.113.10")
            kept.append((host, host.start("sleep", "600")))
            assert host.space in spaces()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    host, process = kept[0]
    assert process.poll() is not None
    assert host.space not in spaces()
    assert not (NETNS_ETC / host.space).exists()


def test_leftovers_of_a_killed_run_go_at_the_next_start() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    name = f"{PREFIX}{gone.pid}-a"
    subprocess.run(["ip", "netns", "add", name], check=True)
    with Lab():
        assert name not in spaces()

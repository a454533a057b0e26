#!/usr/bin/python3
"""A real RTSP camera: GStreamer's RTSP server looping recorded clips. Runs on the system's Python.

One argument, JSON:
    address, port   where to listen; prints `ready <port>` when it does
    auth            "none", "basic" or "digest" (MD5, RFC 2617) with user and password
    realm, timeout  of the session, in seconds
    streams         path -> clip (H.264 or H.265 with delimiters, its .json beside it), in_band (are
                    parameter sets in the stream or only in the session description),
                    audio (null, "PCMA", "PCMU", "opus", "aac"), transports ("tcp", "udp", "both")

Lines on stdin, each answered with `done`: `stall PATH`, `go PATH`, `clip PATH FILE`, `drop`.
Ends when stdin does.
"""

import json
import sys
from pathlib import Path
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
gi.require_version("GstRtsp", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # type: ignore[import-not-found] # noqa: E402

Gst.init(None)
ROLE = "viewer"
AUDIO = {
    "PCMA": "alawenc ! rtppcmapay name=pay1 pt=8",
    "PCMU": "mulawenc ! rtppcmupay name=pay1 pt=0",
    "opus": "audioresample ! opusenc ! rtpopuspay name=pay1 pt=97",
    "aac": "audioconvert ! voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97",
}
TRANSPORTS = {
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
    "both": GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP,
}


def nals_of(data: bytes) -> list[bytes]:
    parts = data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [part for part in parts[1:] if part]


class Clip:
    """Access units, and at which place each is shown."""

    def __init__(self, path: str) -> None:
        about = json.loads(Path(path).with_suffix(".json").read_text())
        self.fps: int = about["fps"]
        self.hevc: bool = about["hevc"]
        self.shown: list[int] = about["shown"]
        self.units = self._split(Path(path).read_bytes())
        assert len(self.units) == len(self.shown), (len(self.units), len(self.shown))

    def kind(self, nal: bytes) -> int:
        return (nal[0] >> 1) & 0x3F if self.hevc else nal[0] & 0x1F

    def _split(self, data: bytes) -> list[list[bytes]]:
        units: list[list[bytes]] = []
        for nal in nals_of(data):
            if self.kind(nal) == (35 if self.hevc else 9):
                units.append([])
            units[-1].append(nal)
        return units

    def is_key(self, unit: list[bytes]) -> bool:
        kinds = {self.kind(nal) for nal in unit}
        return any(16 <= kind <= 21 for kind in kinds) if self.hevc else 5 in kinds

    def parameter_sets(self) -> list[bytes]:
        return [nal for nal in self.units[0] if self.kind(nal) in (7, 8)]

    def codec_data(self) -> str:
        """avcC (ISO 14496-15 5.3.3.1) in hexadecimal."""
        sps, pps = self.parameter_sets()
        data = bytes((1, *sps[1:4], 0xFF, 0xE1)) + len(sps).to_bytes(2, "big") + sps
        return (data + b"\1" + len(pps).to_bytes(2, "big") + pps).hex()


class Stream(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
    """One path of the camera."""

    def __init__(self, about: dict[str, Any]) -> None:
        super().__init__()
        self.clip = Clip(about["clip"])
        self.in_band: bool = about["in_band"]
        self.stalled = False
        self.generation = 0
        self.set_launch(self._launch(about.get("audio")))
        self.set_shared(True)
        self.set_latency(0)
        self.set_protocols(TRANSPORTS[about.get("transports", "both")])
        self.connect("media-configure", self._on_media)

    def _launch(self, audio: str | None) -> str:
        codec = "h265" if self.clip.hevc else "h264"
        rate = f"framerate={self.clip.fps}/1"
        if self.in_band:
            form = f"video/x-{codec},stream-format=byte-stream,alignment=au,{rate}"
            # h264parse would make up timestamps of its own where there are B-frames.
            middle = "h265parse ! rtph265pay" if self.clip.hevc else "rtph264pay"
            middle += " config-interval=-1"
        else:
            data = self.clip.codec_data()
            form = f"video/x-h264,stream-format=avc,alignment=au,{rate},codec_data=(buffer){data}"
            middle = "rtph264pay config-interval=0"
        text = (
            f'( appsrc name=src is-live=true format=time caps="{form}" ! queue'
            f" ! {middle} name=pay0 pt=96 mtu=1400 "
        )
        if audio:
            hertz = 8000 if audio.startswith("PCM") else 48000
            raw = f"audio/x-raw,rate={hertz},channels=1"
            text += f"audiotestsrc is-live=true wave=ticks ! {raw} ! {AUDIO[audio]} "
        return text + ")"

    def _on_media(self, _factory: object, media: Any) -> None:
        source = media.get_element().get_by_name("src")
        self.generation += 1
        state = {"place": 0, "began": None, "loop": 0}
        generation = self.generation
        GLib.timeout_add(5, lambda: self._push_due(source, state, generation))

    def _push_due(self, source: Any, state: dict[str, Any], generation: int) -> bool:
        """Pushes what is due by the pipeline's clock; False ends the timer."""
        if generation != self.generation:
            return False
        clock = source.get_clock()
        if clock is None or source.get_base_time() == 0:
            return True  # not playing yet: what it says of the time means nothing
        now = clock.get_time() - source.get_base_time()
        length = Gst.SECOND // self.clip.fps
        ahead = state["began"] is not None and state["began"] + state["place"] * length - now
        if self.stalled or state["began"] is None or ahead > Gst.SECOND:
            state["began"], state["place"] = now, 0
        if self.stalled:
            return True
        while state["began"] + state["place"] * length <= now:
            self._push(source, state["began"], state["place"], length)
            state["place"] += 1
        return True

    def _push(self, source: Any, began: int, place: int, length: int) -> None:
        clip = self.clip
        loop, index = divmod(place, len(clip.units))
        unit = clip.units[index]
        buffer = Gst.Buffer.new_wrapped(self._bytes(unit))
        buffer.dts = began + place * length
        buffer.pts = began + (loop * len(clip.units) + clip.shown[index]) * length
        buffer.duration = length
        if not clip.is_key(unit):
            buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
        source.emit("push-buffer", buffer)

    def _bytes(self, unit: list[bytes]) -> bytes:
        if self.in_band:
            return b"".join(b"\0\0\0\1" + nal for nal in unit)
        slices = [nal for nal in unit if self.clip.kind(nal) not in (7, 8, 9)]
        return b"".join(len(nal).to_bytes(4, "big") + nal for nal in slices)

    def restart(self, clip: str) -> None:
        """Another clip from the next picture on."""
        self.clip = Clip(clip)


class Camera:
    def __init__(self, about: dict[str, Any]) -> None:
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address(about["address"])
        self.server.set_service(str(about["port"]))
        self.streams = {path: Stream(each) for path, each in about["streams"].items()}
        for path, stream in self.streams.items():
            self.server.get_mount_points().add_factory(path, stream)
        if about["auth"] != "none":
            self._protect(about)
        self.timeout = int(about.get("timeout", 60))
        self.server.connect("client-connected", self._on_client)

    def _protect(self, about: dict[str, Any]) -> None:
        auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
        auth.set_realm(about.get("realm", "camera"))
        token.set_string("media.factory.role", ROLE)
        user, password = about["user"], about["password"]
        if about["auth"] == "digest":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(user, password, token)
        else:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        self.server.set_auth(auth)
        for stream in self.streams.values():
            role = Gst.Structure.new_empty(ROLE)
            role.set_value("media.factory.access", True)
            role.set_value("media.factory.construct", True)
            stream.add_role_from_structure(role)

    def _on_client(self, _server: object, client: Any) -> None:
        client.connect("new-session", lambda _c, session: session.set_timeout(self.timeout))

    def order(self, line: str) -> None:
        words = line.split()
        if words[0] == "stall":
            self.streams[words[1]].stalled = True
        elif words[0] == "go":
            self.streams[words[1]].stalled = False
        elif words[0] == "clip":
            self.streams[words[1]].restart(words[2])
        elif words[0] == "drop":
            self.server.client_filter(lambda _s, _c: GstRtspServer.RTSPFilterResult.REMOVE)


def main() -> None:
    loop = GLib.MainLoop()
    camera = Camera(json.loads(sys.argv[1]))
    if camera.server.attach(None) == 0:
        sys.exit("the port is taken")

    def on_stdin(channel: Any, _condition: Any) -> bool:
        line = channel.readline()
        if not line:
            loop.quit()
            return False
        camera.order(line)
        print("done", flush=True)
        return True

    GLib.io_add_watch(
        sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, on_stdin
    )
    GLib.timeout_add_seconds(1, lambda: (camera.server.get_session_pool().cleanup(), True)[1])
    print("ready", camera.server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()

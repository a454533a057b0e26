"""GStreamer's webrtcbin as a WHEP client; run by the system's Python, which has its bindings.

    webrtcbin_watch.py ENDPOINT TOKEN SECONDS

Prints one JSON line: how many frames were decoded, their size, and the session's URL.
"""

import json
import sys
import urllib.parse
import urllib.request
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # type: ignore[import-not-found]  # noqa: E402

ENDPOINT, TOKEN, SECONDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
CAPS = (
    "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f,"
    "rtcp-fb-nack=(boolean)true,rtcp-fb-nack-pli=(boolean)true"
)
result: dict[str, Any] = {"frames": 0, "size": None, "session": None}


def on_offer(promise: Any, rtc: Any) -> None:
    reply = promise.get_reply()  # owns what is in it
    offer = reply.get_value("offer")
    rtc.emit("set-local-description", offer, Gst.Promise.new())
    request = urllib.request.Request(
        ENDPOINT,
        offer.sdp.as_text().encode(),
        {"Content-Type": "application/sdp", "Authorization": f"Bearer {TOKEN}"},
    )
    with urllib.request.urlopen(request) as reply:
        result["session"] = urllib.parse.urljoin(ENDPOINT, reply.headers["Location"])
        text = reply.read()
    _, message = GstSdp.SDPMessage.new()
    GstSdp.sdp_message_parse_buffer(text, message)
    answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
    rtc.emit("set-remote-description", answer, Gst.Promise.new())


def on_pad(_: Any, pad: Any, pipeline: Any) -> None:
    tail = Gst.parse_bin_from_description(
        "rtph264depay ! avdec_h264 ! fakesink name=end signal-handoffs=true sync=false", True
    )
    pipeline.add(tail)
    tail.get_by_name("end").connect("handoff", on_frame)
    tail.sync_state_with_parent()
    pad.link(tail.get_static_pad("sink"))


def on_frame(_: Any, __: Any, pad: Any) -> None:
    result["frames"] += 1
    structure = pad.get_current_caps().get_structure(0)
    result["size"] = [structure.get_value("width"), structure.get_value("height")]


def main() -> None:
    Gst.init(None)
    loop = GLib.MainLoop()
    pipeline = Gst.Pipeline.new()
    rtc = Gst.ElementFactory.make("webrtcbin")
    rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    pipeline.add(rtc)
    rtc.connect("pad-added", on_pad, pipeline)
    rtc.emit(
        "add-transceiver",
        GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
        Gst.Caps.from_string(CAPS),
    )
    pipeline.set_state(Gst.State.PLAYING)
    promise = Gst.Promise.new_with_change_func(on_offer, rtc)
    rtc.emit("create-offer", None, promise)
    GLib.timeout_add_seconds(SECONDS, loop.quit)
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    print(json.dumps(result), flush=True)


main()

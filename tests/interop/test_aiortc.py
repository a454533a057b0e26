"""A plain aiortc peer connection, by its public API, as WHEP and WHIP client."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urljoin

import pytest
from aiohttp import ClientSession
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    VideoStreamTrack,
)
from av import VideoFrame

from tests.interop.conftest import HubUrl
from tests.interop.tiny_hub import HEIGHT, WIDTH, TinyHub


@pytest.fixture
async def peer() -> AsyncIterator[RTCPeerConnection]:
    configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    peer = RTCPeerConnection(configuration)
    yield peer
    await peer.close()


async def _open(peer: RTCPeerConnection, http: ClientSession, url: str, token: str) -> str:
    """POST the offer, take the answer; the session's URL."""
    await peer.setLocalDescription(await peer.createOffer())
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
    async with http.post(url, data=peer.localDescription.sdp, headers=headers) as response:
        assert response.status == 201
        answer = RTCSessionDescription(await response.text(), "answer")
        location = urljoin(url, response.headers["Location"])
    await peer.setRemoteDescription(answer)
    return location


async def test_aiortc_watches(peer: RTCPeerConnection, hub_url: HubUrl) -> None:
    receiver = peer.addTransceiver("video", direction="recvonly").receiver
    async with ClientSession() as http:
        location = await _open(peer, http, hub_url.whep, hub_url.watch_token)
        track = receiver.track
        async with asyncio.timeout(20):
            frames = [await track.recv() for _ in range(20)]
        async with http.delete(
            location, headers={"Authorization": f"Bearer {hub_url.watch_token}"}
        ) as response:
            assert response.status == 200
    last = frames[-1]
    assert isinstance(last, VideoFrame)
    assert (last.width, last.height) == (WIDTH, HEIGHT)


async def test_aiortc_may_ask_for_audio_that_the_camera_lacks(
    peer: RTCPeerConnection, hub_url: HubUrl
) -> None:
    """MED-13: rejected with port 0, still 201; the audio comes first in this offer."""
    peer.addTransceiver("audio", direction="recvonly")
    receiver = peer.addTransceiver("video", direction="recvonly").receiver
    async with ClientSession() as http:
        await _open(peer, http, hub_url.whep, hub_url.watch_token)
        async with asyncio.timeout(20):
            assert isinstance(await receiver.track.recv(), VideoFrame)


async def test_aiortc_publishes(
    peer: RTCPeerConnection, hub_url: HubUrl, tiny_hub: TinyHub
) -> None:
    transceiver = peer.addTransceiver(VideoStreamTrack(), direction="sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([each for each in codecs if each.mimeType == "video/H264"])
    async with ClientSession() as http:
        await _open(peer, http, hub_url.whip, hub_url.publish_token)
        (publishing,) = tiny_hub.publishing
        async with asyncio.timeout(20):
            while len(publishing.frames) < 10:  # noqa: ASYNC110 - it looks at the decoder
                await asyncio.sleep(0.05)
    assert publishing.frames[-1] == (640, 480)
    await peer.close()
    assert publishing.closed == "the peer left"

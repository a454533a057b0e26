"""RTSP/1.0 (RFC 2326) as cameras speak it: pure messages, Digest and SDP; one asyncio client."""

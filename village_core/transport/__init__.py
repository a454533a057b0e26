"""WebRTC transport: the only package that touches aiortc, aioice and pylibsrtp."""

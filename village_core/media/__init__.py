"""Pure media: RTP and H.264 packets, streams, legs. No sockets, no tasks; time is passed in."""

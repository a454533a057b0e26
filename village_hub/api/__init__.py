"""JSON and SDP over HTTP: one module per resource."""

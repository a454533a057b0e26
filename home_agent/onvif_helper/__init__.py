"""The helper process for ONVIF: one question on stdin, one answer on stdout, then it ends."""

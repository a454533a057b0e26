"""Matters: what somebody asks, raises or objects to, from its beginning to its end."""

"""Consent at the hub: drafts, grants that a home signed, stopping them, and who looks (PRM-3)."""

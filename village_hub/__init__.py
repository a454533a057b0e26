"""The hub of one tier: who may see what, the catalogue, live media in by WHIP and out by WHEP."""

"""The audit log: what is written, chained, signed and read (AUD-1 to AUD-9)."""

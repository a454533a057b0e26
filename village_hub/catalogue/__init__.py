"""What exists: tables, queries, the one-writer store, migrations; the only SQL."""

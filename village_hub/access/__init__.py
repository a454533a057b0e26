"""Who is asking, and may they: rules (pure), identity (verified claims), the one guard."""

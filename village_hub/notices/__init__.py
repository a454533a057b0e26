"""Who is told what, by when, and how it reaches them (PRM-23)."""

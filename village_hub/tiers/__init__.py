"""The tree: children below."""

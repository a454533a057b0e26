"""Who gets in, and the media of this node."""

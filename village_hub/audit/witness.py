"""What another hub's checkpoints say beside each other, pure (AUD-3): whoever rewrites a log that
was signed has to sign another history, and the hubs beside it hold the first one."""

from village_hub.audit.signing import Checkpoint, digest

Known = tuple[str, Checkpoint]
"""A checkpoint as signed, and what it says."""


def fork(before: Known | None, same: Known | None, new: Known) -> str | None:
    """Why the new one tells another history than those that are held: the last one `before` it,
    and one of the `same` number. None: it does not."""
    text, said = new
    if same is not None and same[0] != text:
        return f"two checkpoints {said.number} were signed"
    if before is None:
        return None
    held_text, held = before
    if held.number + 1 == said.number and said.prev != digest(held_text):
        return f"checkpoint {said.number} does not follow checkpoint {held.number}"
    for chain, head in held.heads.items():
        now = said.heads.get(chain)
        if now is None or now.seq < head.seq:
            return f"entries of {chain} that were signed are gone"
        if now.seq == head.seq and now.hash != head.hash:
            return f"entry {head.seq} of {chain} is another one than was signed"
    return None

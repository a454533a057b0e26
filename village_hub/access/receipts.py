"""What somebody without an account is given: a receipt to read their own matter by, written down
or typed; and the codes on signs, which are no secret. Pure."""

from village_core.enrolment import ALPHABET, new_typed_code
from village_hub.access.credentials import digest

LENGTH = 12  # letters of base 20: 51 bits; tries are limited by source
SEPARATORS = " -\t\u2013\u2014."


def new_receipt() -> str:
    """XXXX-XXXX-XXXX."""
    return f"{new_typed_code()}-{new_typed_code()[:4]}"


def receipt_digest(text: str) -> str | None:
    """Of what a person typed: case, spaces and dashes do not matter. None: no receipt."""
    letters = letters_of(text)
    right = len(letters) == LENGTH and all(letter in ALPHABET for letter in letters)
    return digest(letters) if right else None


def new_sign() -> str:
    """Eight letters."""
    return letters_of(new_typed_code())


def letters_of(text: str) -> str:
    return "".join(letter for letter in text.upper() if letter not in SEPARATORS)

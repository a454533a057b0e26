"""The one failure of a camera: a code for the pages and a sentence for people."""

from village_core.troubles import Trouble


class SourceFailure(Exception):  # noqa: N818 - a state of the camera, not an error of ours
    """A camera cannot be used; `sentence` says why in words and holds no credentials."""

    def __init__(self, trouble: Trouble, sentence: str) -> None:
        super().__init__(sentence)
        self.trouble = trouble
        self.sentence = sentence

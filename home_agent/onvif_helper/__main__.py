"""`python -m home_agent.onvif_helper`: see home_agent.onvif for what goes in and out."""

import sys

from pydantic import ValidationError

from home_agent.onvif import Asked, Told
from home_agent.onvif_helper.device import UNREADABLE, Device
from home_agent.onvif_helper.tasks import TASKS
from home_agent.rtsp.failure import SourceFailure
from village_core.troubles import Trouble


def answer(question: bytes) -> Told:
    try:
        asked = Asked.model_validate_json(question)
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)[0]["msg"]
        return Told(trouble=Trouble.PROTOCOL, sentence=f"The question to the helper: {said}.")
    try:
        return TASKS[asked.task](Device(asked.address, asked.user, asked.password), asked)
    except SourceFailure as failure:
        return Told(trouble=failure.trouble, sentence=failure.sentence)
    except UNREADABLE:
        sentence = "The camera's ONVIF answers are not as the standard has them."
        return Told(trouble=Trouble.PROTOCOL, sentence=sentence)


if __name__ == "__main__":
    print(answer(sys.stdin.buffer.read()).model_dump_json())

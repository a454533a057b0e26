"""`home-agent check` for a camera's alarm inputs: are they heard, and how do they stand?"""

import asyncio

from home_agent.config import AlarmContact, CameraConfig
from home_agent.contact import Contact, Standing
from home_agent.onvif import Heard, InputState
from home_agent.onvif_events import Ears, ears
from home_agent.report import Report
from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.failure import SourceFailure
from village_core.troubles import Trouble

LONGEST = 45.0  # seconds
MOST_NAMES = 8  # of inputs that a sentence tells
NOBODY = "Pressed now, it calls nobody."
ALARM = (
    "alarm input {} is in the alarm state ({} is reported): is it pressed, or does alarm_contact"
    ' belong to be "{}"?'
)


async def check_alarm(camera: CameraConfig, account: Credentials | None) -> Report:
    """Listens for a moment beside the running agent; calls nobody. Never raises."""
    report = Report(f"{camera.name}: alarm inputs")
    try:
        async with asyncio.timeout(LONGEST), ears(camera.onvif, account) as heard:
            inputs = await _standing(heard)
    except SourceFailure as failure:
        report.tell(f"They cannot be heard: {failure.sentence} {NOBODY}", failure.trouble)
        return report
    except TimeoutError:
        report.tell(f"They cannot be heard: no answer in time. {NOBODY}", Trouble.STALLED)
        return report
    for token in camera.alarm_inputs:
        _tell(report, camera.alarm_contact, token, inputs)
    return report


async def _standing(heard: Ears) -> list[InputState]:
    """What the first answers tell: how all inputs stand."""
    inputs: list[InputState] = []
    async for each in heard:
        inputs += each.inputs
        if _enough(each):
            break
    return inputs


def _enough(heard: Heard) -> bool:
    return bool(heard.inputs) or not heard.first


def _tell(report: Report, rest: AlarmContact, token: str, inputs: list[InputState]) -> None:
    contact = Contact(token, quiet=rest is AlarmContact.NORMALLY_CLOSED)
    for each in inputs:
        if each.token == token:
            contact.hear(each, first=True)
    reported = str(contact.known).lower()
    match contact.standing:
        case Standing.QUIET:
            report.tell(f"alarm input {token} is heard and quiet ({reported} is reported)")
        case Standing.ALARM:
            other = next(each for each in AlarmContact if each is not rest)
            report.tell(ALARM.format(token, reported, other), Trouble.PROTOCOL)
        case Standing.UNREADABLE:
            said = f"What the camera tells of alarm input {token} makes no sense. {NOBODY}"
            report.tell(said, Trouble.PROTOCOL)
        case _:
            report.tell(_missing(token, inputs), Trouble.PROTOCOL)


def _missing(token: str, inputs: list[InputState]) -> str:
    others = ", ".join(sorted({each.token for each in inputs})[:MOST_NAMES])
    if others:
        return f"The camera has no alarm input {token}; it tells of: {others}. {NOBODY}"
    return (
        f"The camera does not tell how alarm input {token} stands: press it to try, with the agent"
        " running; that is a real call for help."
    )

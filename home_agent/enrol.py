"""The agent's side of enrolment (village_core/enrolment.py, IDN-15): by QR, or by a typed code.

Nothing of an older enrolment is touched before the new one holds: the new node key waits in
node.key.new, so that an enrolment cut short can be repeated with the same key. The household key
stays: it belongs to the home, not to the hub (PRM-21).
"""

import asyncio

from home_agent.boxclock import BoxClock, HubTime
from home_agent.parent import Enrolment
from home_agent.state import State, StateError
from village_core import enrolling
from village_core.enrolling import Compared, Joined
from village_core.enrolment import EnrolmentError, OwnKeys
from village_core.keys import KeyFileError, SigningKey
from village_core.line import ParentError

ENROLMENT = "enrolment.json"
NODE_KEY = "node.key"
NEW_KEY = "node.key.new"
HOUSEHOLD_KEY = "household.key"


def stored_enrolment(state: State) -> tuple[Enrolment, SigningKey] | None:
    """The enrolment that holds and its node key; None before. Raises StateError."""
    enrolment = state.read(ENROLMENT, Enrolment)
    if enrolment is None:
        return None
    for name in (NODE_KEY, NEW_KEY):  # the second when the power failed between two renames
        if state.path(name).exists():
            key = _key(state, name)
            if key.public.fingerprint == enrolment.node:
                return enrolment, key
    raise StateError(f"{state.path(NODE_KEY)} is not the key that was enrolled: enrol again")


async def enrol_by_qr(state: State, text: str) -> Enrolment:
    """Raises EnrolmentError, StateError or one of PARENT_ERRORS."""
    keys = await asyncio.to_thread(_new_keys, state)
    return await asyncio.to_thread(_keep, state, await enrolling.by_qr(text, keys), keys)


async def enrol_by_code(
    state: State, url: str, code: str, same: Compared, clock: BoxClock
) -> Enrolment:
    """Raises EnrolmentError, StateError or one of PARENT_ERRORS."""
    keys = await asyncio.to_thread(_new_keys, state)
    joined = await enrolling.by_code(url, code, keys, same, clock=HubTime(clock), learn=clock.learn)
    return await asyncio.to_thread(_keep, state, joined, keys)


def household_key(state: State) -> SigningKey:
    """Raises StateError."""
    return _key(state, HOUSEHOLD_KEY)


def _new_keys(state: State) -> OwnKeys:
    return OwnKeys(_key(state, NEW_KEY), _key(state, HOUSEHOLD_KEY))


def _key(state: State, name: str) -> SigningKey:
    try:
        return SigningKey.load_or_make(state.path(name))
    except KeyFileError as error:
        raise StateError(str(error)) from error


def _keep(state: State, joined: Joined, keys: OwnKeys) -> Enrolment:
    """What the hub said is this agent's enrolment from now on."""
    url, enrolled = joined.url, joined.enrolled
    enrolment = Enrolment(
        url=url,
        hub=enrolled.hub,
        hub_name=enrolled.hub_name,
        hub_key=joined.hub_key.text,
        agent=enrolled.agent,
        household=enrolled.household,
        household_name=enrolled.household_name,
        node=keys.node.public.fingerprint,
        owners=enrolled.owners,
        site=url,
    )
    state.write(ENROLMENT, enrolment)
    try:
        state.path(NEW_KEY).replace(state.path(NODE_KEY))
    except OSError as error:
        raise StateError(f"{state.path(NODE_KEY)} cannot be written: {error.strerror}") from error
    return enrolment


ENROL_ERRORS = (EnrolmentError, StateError, ParentError)

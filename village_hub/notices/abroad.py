"""A notice to somebody of another hub: a letter there, which that hub queues as one of its own."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from village_core.messages import PRINTABLE, Id
from village_hub.catalogue import letters
from village_hub.catalogue.store import Session
from village_hub.notices.kinds import Kind, Whom

NOTICE = "notice"  # the kind of letter
MOST_PARAMS = 12
LONGEST_PARAM = 120  # characters


Holder = Annotated[str, Field(min_length=1, max_length=80, pattern=PRINTABLE)]


class Said(BaseModel):
    """An event as the hub that it happened at tells it. At least one of `person` and `unit` is
    there: the unit is told where the person is not known. `at` in UTC ms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person: Holder | None = None
    unit: Holder | None = None
    kind: Kind
    whom: Whom
    about_kind: str = Field(pattern="^[a-z_]{2,30}$")
    about_id: Id
    at: int = Field(ge=0, lt=2**53)
    params: dict[str, str] = Field(max_length=MOST_PARAMS)


def write(session: Session, hub: str, said: Said) -> None:
    letters.write(session, hub, NOTICE, said.model_dump(mode="json"), said.at)

"""Consent on paper, for whoever has no phone (IDN-13, PRM-21): entered by one clerk, confirmed by
another of the unit, each with a passkey over the terms; never for a camera inside the home; it
begins after 24 hours at the earliest, is announced by call and printed slip, and is sampled by the
auditor. Whether the home takes it at all is the household's own switch.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from village_core.assertion import Site
from village_core.clock import Clock
from village_core.grant_limits import looks_inside
from village_core.grant_tokens import WINDOW_WAITS, Assertion, AtWindow, Clerk
from village_core.grants import GrantTerms
from village_core.keys import write_new
from village_core.permits import Role
from village_hub.access.facts import Subject
from village_hub.access.identity import PersonCaller
from village_hub.catalogue import drafts, places
from village_hub.catalogue.consent_rows import DraftRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.consent import record
from village_hub.consent.giving import Paper, check_passkey, new_draft, open_draft, recipient
from village_hub.consent.homes import classes
from village_hub.consent.post import Post
from village_hub.consent.record import Acted
from village_hub.consent.states import Act, DraftState
from village_hub.consent.wishes import Wish, terms_of
from village_hub.errors import (
    Conflict,
    Forbidden,
    NotFound,
    TooLarge,
    Unprocessable,
    UnsupportedMedia,
)

LARGEST_SCAN = 5 * 1024 * 1024  # bytes
BEGINNINGS: Mapping[str, bytes] = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
SHA256 = re.compile(r"[0-9a-f]{64}")


class Scans:
    """The scanned papers: files named by their SHA-256, for the hub's owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, kind: str, data: bytes) -> str:
        """Its SHA-256; the same scan again is the same file. Raises UnsupportedMedia, TooLarge."""
        if kind not in BEGINNINGS or not data.startswith(BEGINNINGS[kind]):
            raise UnsupportedMedia("a scan is a PDF, JPEG or PNG")
        if len(data) > LARGEST_SCAN:
            raise TooLarge(f"a scan has at most {LARGEST_SCAN} bytes")
        name = hashlib.sha256(data).hexdigest()
        with suppress(FileExistsError):
            write_new(self._folder / name, data)
        return name

    def has(self, name: str) -> bool:
        return SHA256.fullmatch(name) is not None and (self._folder / name).is_file()


def clerk(caller: PersonCaller) -> str:
    """The unit at whose window they sit. Raises Forbidden."""
    subject = caller.subject
    if Role.COMMITTEE not in subject.roles or subject.unit is None or caller.kiosk:
        raise Forbidden("this is for the clerks at the village window", code="not_a_clerk")
    return subject.unit


class Window:
    def __init__(
        self, hub: str, site: Site, catalogue: Catalogue, post: Post, clock: Clock
    ) -> None:
        self._hub = hub
        self._site = site
        self._catalogue = catalogue
        self._post = post
        self._clock = clock

    async def enter(
        self, caller: PersonCaller, household: str, wish: Wish, witness: str, scan: str
    ) -> DraftRow:
        """What stands on the paper. `scan`: of a file that is kept here."""
        return await self._catalogue.write(
            self._enter, caller.subject, household, wish, witness, scan
        )

    def _enter(
        self,
        session: Session,
        by: Subject,
        household: str,
        wish: Wish,
        witness: str,
        scan: str,
    ) -> DraftRow:
        if not places.inside(session, household, by.place or ""):
            raise NotFound("there is no such household", code="no_such_household")
        now = self._clock.utc_ms()
        whom = [recipient(session, self._hub, each) for each in (wish.recipient, *wish.responders)]
        terms = terms_of(wish, whom, now, at_window=True)
        if looks_inside(terms, classes(session, household)):
            raise Unprocessable(
                "a camera inside the home cannot be shared on paper", code="unfit_class"
            )
        _must_wait(terms, now)
        paper = Paper(by.unit or "", witness, scan)
        row = new_draft(session, self._clock, household, terms, by, paper)
        kind = terms.kind.value
        record.note(
            session,
            self._clock,
            "window_entered",
            Acted(household, by),
            about={"kind": kind, "draft": row.id},
        )
        return row

    async def sign(self, caller: PersonCaller, name: str, said: Assertion) -> DraftRow:
        """The first signature is of whoever entered it, the second of another clerk of the unit;
        then it goes to the home. Raises NotFound, Forbidden, Conflict."""
        row = await self._catalogue.write(self._sign, caller.subject, name, said)
        return await self._post.send(row) if row.state is DraftState.SENDING else row

    def _sign(self, session: Session, by: Subject, name: str, said: Assertion) -> DraftRow:
        now = self._clock.utc_ms()
        row = self.of_unit(session, by, name)
        row = open_draft(session, row.id, now)
        first = row.state is DraftState.OPEN
        if first and by.id != row.made_by:
            raise Forbidden("whoever entered it signs first", code="not_a_clerk")
        if not first and by.id == row.made_by:
            raise Forbidden("another clerk has to confirm this", code="self_approval")
        _must_wait(row.terms, now)
        check_passkey(session, self._site, by.id, said, row.terms)
        signed = Clerk(issuer=self._hub, person=by.id, name=by.name, assertion=said)
        if first:
            half = json.dumps([signed.model_dump(mode="json")])
            moved = drafts.move(session, name, Act.SIGN, confirmed=half)
        else:
            moved = self._complete(session, row, signed)
        if moved is None:
            raise Conflict("this draft is confirmed already, or over", code="draft_over")
        home = row.household
        record.note(session, self._clock, "window_signed", Acted(home, by), about={"draft": name})
        return moved

    def _complete(self, session: Session, row: DraftRow, signed: Clerk) -> DraftRow | None:
        (before,) = json.loads(row.confirmed or "[]")
        try:
            clerks = (Clerk.model_validate(before), signed)
            both = AtWindow(clerks=clerks, scan=row.scan)
        except ValueError as error:
            raise Forbidden("another clerk has to confirm this", code="self_approval") from error
        return drafts.move(
            session, row.id, Act.CONFIRM, confirmed=both.model_dump_json(), route="window"
        )

    def of_unit(self, session: Session, by: Subject, name: str) -> DraftRow:
        """Raises NotFound."""
        row = drafts.find(session, name)
        if row is None or not row.made_unit or row.made_unit != by.unit:
            raise NotFound("there is no such draft", code="no_such_draft")
        return row


def _must_wait(terms: GrantTerms, now: int) -> None:
    if terms.not_before < now + WINDOW_WAITS:
        raise Unprocessable("what is agreed to on paper begins after 24 hours", code="too_soon")

"""Enrolments on the hub's side (village_core/enrolment.py has the protocol; IDN-15)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from village_core.clock import Clock
from village_core.enrolment import (
    QR_VALID,
    SELECTOR,
    TYPED_TRIES,
    TYPED_VALID,
    Begin,
    Begun,
    ChildKeys,
    Claim,
    Enrolled,
    EnrolmentError,
    Joins,
    Qr,
    Reveal,
    check_claim,
    check_reveal,
    knows_secret,
    new_nonce,
    new_secret,
    new_typed_code,
    read_typed_code,
    sign_enrolled,
    six_digits,
)
from village_core.ids import new_id
from village_core.keys import PublicKey
from village_core.messages import OwnerNote
from village_core.tokens import Kind, TokenError, Verifier
from village_hub.access.credentials import digest
from village_hub.catalogue import nodes
from village_hub.catalogue.hubs import OtherHub
from village_hub.catalogue.models import Enrolment
from village_hub.catalogue.rows import EnrolmentRow, EnrolmentState
from village_hub.catalogue.store import Catalogue
from village_hub.errors import Conflict, HubError, NotFound, TooMany, Unprocessable
from village_hub.node import Node
from village_hub.tiers.children import Children
from village_hub.tiers.seat import Seat

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HubPlace:
    """What the hub of the tier below is for: its administrative code, and how it is called here."""

    place: str
    name: str


Of = str | HubPlace
"""What is joined: a household (its id), or the place of a hub below."""


def _unknown() -> PublicKey | None:
    """The county's root key, on the command line."""
    return None


class Enrolments:
    """Both ways, from the code to the node. `children` None: on the command line. `seat` None: of
    this hub no place is known, so that no hub can join it."""

    def __init__(
        self,
        node: Node,
        catalogue: Catalogue,
        children: Children | None,
        clock: Clock,
        seat: Seat | None = None,
        root: Callable[[], PublicKey | None] = _unknown,
    ) -> None:
        self._node = node
        self._seat = seat
        self._root = root
        self._catalogue = catalogue
        self._children = children
        self._clock = clock

    async def new_qr(self, of: Of) -> Qr:
        """Good for one claim within 7 days."""
        secret = new_secret()
        row = self._row(of, QR_VALID, secret=secret)
        qr = Qr(self._node.url, row.id, secret, self._node.key.public.fingerprint)
        await self._add(row)
        return qr

    async def new_typed(self, of: Of) -> tuple[str, str]:
        """The enrolment's id and its code: 5 tries within 10 minutes."""
        for _ in range(20):  # a selector may be taken by another open code
            code = new_typed_code()
            letters = code.replace("-", "")
            row = self._row(of, TYPED_VALID, digest=digest(letters), selector=letters[:SELECTOR])
            enrolment_id = row.id
            if await self._add(row):
                return enrolment_id, code
        raise TooMany("too many typed codes are open; wait a little", retry_after=TYPED_VALID)

    async def claim(self, enrolment_id: str, claim: Claim) -> Enrolled:
        """A. Raises NotFound, Unprocessable."""
        row = await self._find(enrolment_id)
        hub = self._node.key.public
        try:
            if not row.secret or not knows_secret(claim, row.id, row.secret, hub):
                raise _none()
            keys = _of_its_kind(row, check_claim(claim, row.id, hub))
        except EnrolmentError as error:
            raise _bad_proof(error) from error
        return await self._finish(row, keys)

    async def begin(self, begin: Begin) -> Begun:
        """B 1. Raises NotFound for a wrong code, Conflict when another agent was first."""
        letters = read_typed_code(begin.code) or ""
        row = await self._catalogue.write(
            nodes.begin_typed,
            letters[:SELECTOR],
            digest(letters),
            begin.commitment,
            new_nonce(),
            self._now(),
        )
        if row is None or row.hub_nonce is None:
            raise NotFound("this code is wrong, used or expired", code="wrong_code")
        if row.commitment != begin.commitment:
            raise Conflict("another box has begun with this code", code="already_begun")
        return self._begun(row, row.hub_nonce)

    async def reveal(self, enrolment_id: str, reveal: Reveal) -> None:
        """B 2. Raises NotFound, Unprocessable (the enrolment is then over)."""
        row = await self._find(enrolment_id)
        if row.state is not EnrolmentState.BEGUN or not row.commitment or not row.hub_nonce:
            raise _none()
        try:
            begun = self._begun(row, row.hub_nonce)
            keys = _of_its_kind(row, check_reveal(reveal, row.commitment, begun))
        except EnrolmentError as error:
            await self._catalogue.write(nodes.end, row.id)
            raise _bad_proof(error) from error
        digits = six_digits(self._node.key.public, keys, row.hub_nonce, reveal.nonce)
        if not await self._catalogue.write(nodes.reveal, row.id, _texts(keys), digits):
            raise _none()

    async def confirm(self, enrolment_id: str, digits: str) -> None:
        """B 3: the hub's person enters what the agent shows. Raises NotFound, Unprocessable."""
        right = await self._catalogue.write(nodes.confirm, enrolment_id, digits, self._now())
        if right is None:
            raise NotFound("no box waits for its digits there", code="no_such_enrolment")
        if not right:
            raise Unprocessable(
                "these are not the digits: somebody may stand in between; the enrolment is over",
                code="wrong_digits",
            )

    async def result(self, enrolment_id: str, token: str) -> Enrolled | None:
        """B 4: None while the hub's person has not confirmed. Raises NotFound."""
        row = await self._asking(enrolment_id, token)
        if row.state is EnrolmentState.REVEALED:
            return None
        return await self._finish(row, _keys_of(row))

    async def refuse(self, enrolment_id: str, token: str) -> None:
        """B 4: the agent's person saw other digits. Raises NotFound."""
        row = await self._asking(enrolment_id, token)
        if row.state is EnrolmentState.DONE:
            raise _none()
        await self._catalogue.write(nodes.end, row.id)
        log.warning("enrolment %s: the digits differ at the home; it is over", row.id)

    async def _asking(self, enrolment_id: str, token: str) -> EnrolmentRow:
        row = await self._find(enrolment_id)
        if row.secret or not row.node_key:  # of a QR, or not revealed yet
            raise _none()
        key = PublicKey.from_text(row.node_key)
        verifier = Verifier(
            self._node.id,
            lambda issuer, kid: key if (issuer, kid) == (row.id, key.fingerprint) else None,
            self._clock,
            leeway=60,
        )
        try:
            verifier.verify(Kind.ENROL, token)
        except TokenError as error:
            log.info("enrolment %s: a token was refused: %s", row.id, error.code)
            raise _none() from error
        return row

    async def _finish(self, row: EnrolmentRow, keys: ChildKeys) -> Enrolled:
        try:
            finished = await self._catalogue.write(
                nodes.finish, row.id, new_id(self._clock), _texts(keys), self._now()
            )
        except OtherHub as error:
            raise Conflict(str(error), code="hub_known") from error
        if finished is None:
            raise _none()
        node_id, replaced = finished
        for old in replaced:
            log.warning("node %s is revoked: %s took its place", old, node_id)
            if self._children:
                await self._children.revoke(old)
        return self._enrolled(row, node_id, keys)

    def _enrolled(self, row: EnrolmentRow, node_id: str, keys: ChildKeys) -> Enrolled:
        enrolled = Enrolled(
            enrolment=row.id,
            hub=self._node.id,
            hub_name=self._node.name,
            hub_key=self._node.key.public.text,
            agent=node_id,
            household=row.household,
            household_name=row.household_name,
            joins=self._joins(row) if row.place else None,
            owners=tuple(OwnerNote(id=each, name=name) for each, name in row.owners),
            utc_ms=self._now(),
            signature="A" * 86,
        )
        return sign_enrolled(enrolled, keys, self._node.key)

    def _joins(self, row: EnrolmentRow) -> Joins:
        if self._seat is None:
            raise Conflict("this hub has no place, so none can join it", code="no_place")
        root = self._root()
        return Joins(
            place=row.place,
            name=row.name,
            above="township" if self._seat.tier == "township" else "bureau",
            above_place=self._seat.place,
            root=root.text if root else None,
        )

    def _begun(self, row: EnrolmentRow, nonce: str) -> Begun:
        key = self._node.key.public.text
        return Begun(enrolment=row.id, hub=self._node.id, hub_key=key, nonce=nonce)

    async def _find(self, enrolment_id: str) -> EnrolmentRow:
        row = await self._catalogue.read(nodes.enrolment, enrolment_id, self._now())
        if row is None:
            raise _none()
        return row

    def _row(self, of: Of, valid: int, **more: str) -> Enrolment:
        where = (
            {"household_id": of} if isinstance(of, str) else {"place": of.place, "name": of.name}
        )
        return Enrolment(
            id=new_id(self._clock),
            **where,
            state=EnrolmentState.OPEN,
            expires=self._now() + valid * 1000,
            tries=TYPED_TRIES,
            **more,
        )

    async def _add(self, row: Enrolment) -> bool:
        return await self._catalogue.write(nodes.add_enrolment, row, self._now())

    def _now(self) -> int:
        return self._clock.utc_ms()


def _keys_of(row: EnrolmentRow) -> ChildKeys:
    household = PublicKey.from_text(row.household_key) if row.household_key else None
    return ChildKeys(PublicKey.from_text(row.node_key or ""), household, row.hub or "")


def _texts(keys: ChildKeys) -> nodes.Keys:
    node, household, hub = keys.texts
    return (node, household or None, hub or None)


def _of_its_kind(row: EnrolmentRow, keys: ChildKeys) -> ChildKeys:
    """A household's code is for a box, a place's for a hub. Raises EnrolmentError."""
    if bool(row.place) is not bool(keys.hub):
        wanted, came = ("hub", "home's box") if row.place else ("home's box", "hub")
        raise EnrolmentError(f"this code is for a {wanted}, and a {came} came with it")
    return keys


def _none() -> HubError:
    return NotFound("there is no such enrolment", code="no_such_enrolment")


def _bad_proof(error: EnrolmentError) -> HubError:
    return Unprocessable(str(error), code="bad_proof")

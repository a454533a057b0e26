"""How many permission decisions a second on one core, and what each kind of basis costs.

The peer is in the same process: PyJWT's check of one Ed25519 signature, the least that any system
which carries its permissions in tokens pays for a look.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from bench.measure import machine, table
from tests.hub.access.world import (
    EMPTY,
    FOOTAGE,
    HUB,
    NOW,
    camera,
    grant,
    request,
    resident,
    shift,
    sos,
    staff,
)
from village_core.clock import SYSTEM_CLOCK
from village_core.keys import SigningKey
from village_core.permits import Action, CameraClass, Purpose, Role
from village_core.tokens import Issuer, Kind, Verifier
from village_hub.access.facts import Permit
from village_hub.access.rules import decide

FOR = 1.0  # seconds a question
OTHERS = 40  # grants of the household that do not concern the question's subject


def main() -> None:
    print(machine())
    rows = [(name, _rate(question)) for name, question in QUESTIONS.items()]
    peer = _rate(_signature())
    print(
        table(
            ("question", "decisions/s", "us each", "signature checks/s / decisions/s"),
            [
                (name, f"{rate:,.0f}", f"{1e6 / rate:.1f}", f"{peer / rate:.3f}")
                for name, rate in rows
            ],
        )
    )


def _rate(question: Callable[[], object]) -> float:
    """How often a second of this process' own CPU time."""
    question()
    done, began = 0, time.process_time()
    while (spent := time.process_time() - began) < FOR:
        for _ in range(200):
            question()
        done += 200
    return done / spent


def _questions() -> dict[str, Callable[[], object]]:
    officer, grid, son = staff(Role.STATION_OFFICER), staff(Role.COMMITTEE), resident("son")
    owned = replace(EMPTY, owners=frozenset({(HUB, "fang")}))
    many = tuple(grant(resident(f"n{index}"), id=f"g{index}") for index in range(OTHERS))
    yard, lane, home = camera(), camera(CameraClass.P9), resident()
    crowded, mine = replace(owned, grants=many), replace(owned, grants=(*many, grant(son)))
    called = replace(EMPTY, openings=(sos(officer),))
    asked = replace(EMPTY, requests=(request(officer),), footage=FOOTAGE)
    on = replace(EMPTY, shift=shift(grid), reason="cow")
    live, own, guard = Action.LIVE, Purpose.OWN_VIEW, Purpose.GUARD_HOME
    return {
        "owner": lambda: decide(home, yard, live, own, NOW, owned),
        "owner, 40 grants": lambda: decide(home, yard, live, own, NOW, crowded),
        "granted, of 41 grants": lambda: decide(son, yard, live, guard, NOW, mine),
        "SOS": lambda: decide(officer, yard, live, Purpose.SOS, NOW, called),
        "request": lambda: decide(officer, yard, Action.CLIP, Purpose.CASE, NOW, asked),
        "on duty": lambda: decide(grid, lane, live, Purpose.LOST, NOW, on),
        "refused, nothing": lambda: decide(officer, yard, live, Purpose.CASE, NOW, owned),
    }


def _signature() -> Callable[[], object]:
    key = SigningKey.make()
    token = Issuer("hub", key, SYSTEM_CLOCK).mint(Kind.MEDIA, subject="x", audience="hub")
    verifier = Verifier("hub", lambda *_: key.public, SYSTEM_CLOCK)
    return lambda: verifier.verify(Kind.MEDIA, token)


QUESTIONS = _questions()
assert all(
    isinstance(question(), Permit) is not name.startswith("refused")
    for name, question in QUESTIONS.items()
)

if __name__ == "__main__":
    main()

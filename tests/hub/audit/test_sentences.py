"""A household reads who looked in plain words, in Chinese and in English (AUD-4)."""

import pytest

from village_core.permits import Action, Purpose, Role
from village_hub.audit.entry import Entry, EntryKind, Who
from village_hub.audit.sentences import sentence
from village_hub.catalogue.audit_reading import Looked
from village_hub.pages.words import Words, read_words

AT = 1_795_068_120_000  # 2026-11-19 14:02 in UTC+8
LI = Who(id="p1", name="Li", unit="u1", unit_name="Xicun station", roles=("station_officer",))


@pytest.fixture(scope="module")
def words() -> dict[str, Words]:
    return read_words()


def entry(**more: object) -> Entry:
    return Entry.model_validate(
        {
            "id": "e",
            "utc_ms": AT,
            "kind": EntryKind.VIEW_START,
            "action": "live",
            "result": "allowed",
            "who": LI,
            "camera": "c",
            "camera_name": "Gate camera",
            **more,
        }
    )


def called(issuer: str) -> str:
    return f"the hub {issuer or 'here'}"


def ended(start: Entry, seconds: int, why: str = "left") -> Looked:
    end = start.model_copy(update={"utc_ms": start.utc_ms + seconds * 1000, "about": {"why": why}})
    return Looked(start, end)


def test_a_view_is_told_with_everything_that_matters(words: dict[str, Words]) -> None:
    said = entry(purpose="case", case="2026-123", second=Who(id="p2", name="Zhao"))
    assert sentence(ended(said, 420), words["en"], called) == (
        "Officer Li of Xicun station watched Gate camera 2026-11-19 14:02-14:09, "
        "signed in at the hub here, for: a case, "
        "case 2026-123, approved by Zhao"
    )
    assert sentence(ended(said, 420), words["zh"], called) == (
        "Xicun station的民警Li 于 2026-11-19 14:02-14:09 观看了Gate camera，"
        "登录于the hub here，用途：案件，案件 2026-123，批准人：Zhao"
    )


def test_a_view_that_goes_on_or_over_midnight(words: dict[str, Words]) -> None:
    assert "since 2026-11-19 14:02" in sentence(Looked(entry()), words["en"], called)
    long = sentence(ended(entry(), 11 * 3600), words["en"], called)
    assert "2026-11-19 14:02-2026-11-20 01:02" in long


def test_what_is_not_known_is_said(words: dict[str, Words]) -> None:
    assert "unknown" in sentence(ended(entry(), 60, "unknown"), words["en"], called)
    assert "written down later" in sentence(Looked(entry(late=True)), words["en"], called)
    nameless = sentence(Looked(entry(who=Who(id="x"), camera_name="")), words["en"], called)
    assert nameless.startswith("somebody watched a camera")


def test_a_refusal_is_told_as_one(words: dict[str, Words]) -> None:
    refused = entry(kind=EntryKind.DECISION, result="no_basis", reason="a stolen bike")
    assert sentence(Looked(refused), words["en"], called) == (
        "Officer Li of Xicun station wanted to watch Gate camera 2026-11-19 14:02 and was refused, "
        "signed in at the hub here, reason: a stolen bike"
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_action_and_purpose_has_words(words: dict[str, Words], language: str) -> None:
    texts = words[language].texts
    for action in Action:
        assert f"log.look.{action}" in texts
        assert f"log.refused.{action}" in texts
    for role in Role:
        assert f"log.role.{role}" in texts
    for purpose in Purpose:
        assert f"log.purpose.{purpose}" in texts


def test_an_act_without_words_is_told_all_the_same(words: dict[str, Words]) -> None:
    act = entry(kind=EntryKind.ACT, action="member.add", camera_name="")
    said = sentence(Looked(act), words["en"], called)
    assert (
        said == "Officer Li of Xicun station: a member of the household was added, 2026-11-19 14:02"
    )
    other = sentence(Looked(entry(kind=EntryKind.ACT, action="new.thing")), words["en"], called)
    assert other == "Officer Li of Xicun station: new.thing, 2026-11-19 14:02"
    hub = sentence(
        Looked(entry(kind=EntryKind.ACT, action="sos_over", who=None)), words["zh"], called
    )
    assert hub.startswith("系统：SOS 求助结束")

"""What notices say: one text message each, in both languages, with what a key does."""

import pytest

from village_hub.notices.due import KEY_OF, RULES, outcomes
from village_hub.notices.kinds import Kind, Outcome, Whom
from village_hub.notices.sentences import (
    CUT,
    ONE_SMS,
    SIGN,
    done,
    full,
    key_of,
    needs,
    short,
    spoken,
    words,
)
from village_hub.pages.words import LANGUAGES, read_words

DUTIES = [(kind, duty.whom) for kind, rule in RULES.items() for duty in rule.duties]
GSM_7 = set(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\n"
)


def params(kind: Kind, whom: Whom, filled: str) -> dict[str, str]:
    return dict.fromkeys(needs(kind, whom), filled)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "whom"), DUTIES)
def test_a_text_message_is_one_however_long_the_names(
    kind: Kind, whom: Whom, language: str
) -> None:
    """70 Chinese characters, or 160 of GSM 7-bit, with the gateway's sign."""
    filled = "西村派出所" * 12 if language == "zh" else "Xicun station " * 6
    said = short(language, kind, whom, params(kind, whom, filled))
    assert len(said) + SIGN <= ONE_SMS[language]
    assert language == "zh" or set(said) <= GSM_7
    assert "{" not in said


@pytest.mark.parametrize(("kind", "whom"), DUTIES)
def test_what_fits_is_not_shortened(kind: Kind, whom: Whom) -> None:
    values = params(kind, whom, "李警官")
    assert short("zh", kind, whom, values) == full("zh", kind, whom, values)


def test_what_is_too_long_loses_its_end_and_says_so() -> None:
    values = {"who": "西村派出所" * 12, "case": "123", "until": "14:30"}
    said = short("zh", Kind.EMERGENCY_OPENED, Whom.OWNER, values)
    assert said.startswith("西村派出所")
    assert CUT["zh"] in said
    assert "14:30" in said
    assert "123" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_says_what_each_key_does_and_offers_no_yes(language: str) -> None:
    """PRM-23."""
    for kind, whom in DUTIES:
        said = spoken(language, kind, whom, params(kind, whom, "x"), outcomes(kind, whom))
        for outcome in Outcome:
            hint = words()[language](f"notice.key.{outcome}", press=KEY_OF[outcome])
            assert (hint in said) == (outcome in outcomes(kind, whom))


def test_every_sentence_belongs_to_a_duty() -> None:
    keys = {key for key in read_words()["zh"].texts if key.startswith("notice.")}
    ours = {key_of(kind, whom) for kind, whom in DUTIES}
    assert keys - ours == {
        *(f"notice.key.{outcome}" for outcome in Outcome),
        *(f"notice.key.done.{outcome}" for outcome in Outcome),
        "notice.key.unknown",
    }
    assert ours <= keys


def test_an_unknown_key_is_answered_too() -> None:
    assert done("en", None) == "This key does nothing here."
    assert done("zh", Outcome.STOP) == "已经停止。"
    assert done("klingon", Outcome.STOP) == "已经停止。"

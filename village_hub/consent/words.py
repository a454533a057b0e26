"""Consent in plain words (PRM-3): what terms mean, as sentences in both languages. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from village_core.grant_limits import UNTIL_STOPPED
from village_core.grants import LOCAL_MINUTES, GrantTerms, Hours
from village_core.permits import Action
from village_hub.notices import sentences
from village_hub.pages.words import LANGUAGES, Words

VILLAGE_TIME = timedelta(minutes=LOCAL_MINUTES)
SEPARATOR = {"zh": "、", "en": ", "}
ORDER = tuple(Action)


def in_both(terms: GrantTerms, cameras: Mapping[str, str]) -> dict[str, list[str]]:
    """By language: who, how to reach them, what, why, when, how long, how to stop."""
    known = sentences.words()
    return {language: plain(terms, cameras, known[language]) for language in LANGUAGES}


def plain(terms: GrantTerms, cameras: Mapping[str, str], words: Words) -> list[str]:
    """`cameras`: their names by id."""
    names = [cameras.get(camera, words("consent.camera.gone")) for camera in sorted(terms.cameras)]
    said = [
        *(words("consent.who", who=each.name, contact=each.contact) for each in terms.recipients),
        words("consent.what", what=actions(terms.actions, words), cameras=_list(names, words)),
        words("consent.why", purpose=words(f"consent.purpose.{terms.purpose}"), why=terms.why),
        hours(terms.hours, words),
        _span(terms, words),
    ]
    if terms.sensitive:
        said.append(words("consent.inside"))
    said += [words("consent.filmed", name=each.guardian or each.name) for each in terms.filmed]
    return [*said, words("consent.stop", how=terms.stop), words("consent.no_is_safe")]


def actions(these: Iterable[Action], words: Words) -> str:
    wanted = set(these)
    said = [words(f"consent.action.{action}") for action in ORDER if action in wanted]
    return _list(said, words)


def hours(these: Iterable[Hours], words: Words) -> str:
    said = [
        words(
            "consent.hours.part",
            days=_list([words(f"consent.day.{day}") for day in sorted(each.days)], words),
            begin=_clock(each.begin),
            end=_clock(each.end),
        )
        for each in these
    ]
    return words("consent.hours", hours=_list(said, words)) if said else words("consent.any_hour")


def day_time(ms: int) -> str:
    """In the village's time."""
    return (datetime.fromtimestamp(ms / 1000, UTC) + VILLAGE_TIME).strftime("%Y-%m-%d %H:%M")


def until(terms: GrantTerms, words: Words) -> str:
    if terms.until - terms.not_before >= UNTIL_STOPPED - 24 * 3600 * 1000:
        return words("consent.until_stopped")
    return day_time(terms.until)


def _span(terms: GrantTerms, words: Words) -> str:
    if terms.footage is not None:
        begin, end = (day_time(each) for each in terms.footage)
        return words("consent.footage", begin=begin, end=end, until=day_time(terms.until))
    return words("consent.span", begin=day_time(terms.not_before), until=until(terms, words))


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _list(items: Iterable[str], words: Words) -> str:
    return SEPARATOR[words.language].join(items)

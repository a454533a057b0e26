"""Every sentence in both languages; none missing, none left over, none untranslated."""

import ast
import re
from pathlib import Path

import pytest

from village_core.troubles import Trouble
from village_hub import errors
from village_hub.access.facts import Reason
from village_hub.pages.folder import TEMPLATES
from village_hub.pages.words import LANGUAGES, Words, choose, read_words

HUB = Path(errors.__file__).parent
WORDS = read_words()
ZH, EN = WORDS["zh"], WORDS["en"]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:?!()]")
SAME_IN_BOTH = {"site.other.code", "site.other.lang", "site.other.name"}  # they name the other
PLACEHOLDER = re.compile(r"\{(\w+)\}")
KEY = re.compile(r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")


def leaves(cls: type[errors.HubError]) -> list[type[errors.HubError]]:
    return [cls, *(leaf for child in cls.__subclasses__() for leaf in leaves(child))]


def named_codes() -> set[str]:
    """Codes given where an error is raised: `code="..."` anywhere in the hub, and the members of
    every `Fault`, the closed lists of what pure rules refuse with."""
    calls = [
        node
        for path in HUB.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") != "Rule"
    ]
    values = [kw.value for call in calls for kw in call.keywords if kw.arg == "code"]
    values += [call.args[1] for call in calls if _refuses_above(call)]
    faults = [
        line.value
        for path in HUB.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Fault")
        for line in node.body
        if isinstance(line, ast.Assign)
    ]
    said = [value for value in [*values, *faults] if isinstance(value, ast.Constant)]
    return {str(value.value) for value in said}


def _refuses_above(call: ast.Call) -> bool:
    """`Refused(status, code, sentence)`: over the uplink, which a viewer above is told as well."""
    return isinstance(call.func, ast.Name) and call.func.id == "Refused" and len(call.args) == 3


CODES = sorted(
    {leaf.slug for leaf in leaves(errors.HubError)} | {reason.value for reason in Reason}
    | {code for code in named_codes() if re.fullmatch(r"[a-z0-9_]+", code)}
)  # fmt: skip


def test_both_catalogues_have_the_same_keys() -> None:
    assert sorted(ZH.texts) == sorted(EN.texts)


@pytest.mark.parametrize("words", WORDS.values(), ids=lambda words: words.language)
def test_no_sentence_is_empty(words: Words) -> None:
    assert [key for key, text in words.texts.items() if not text.strip()] == []
    assert [key for key in words.texts if not KEY.match(key)] == []


def test_chinese_is_chinese_and_english_is_not() -> None:
    ours = set(ZH.texts) - SAME_IN_BOTH
    wordless = {key for key in ours if not re.search(r"\w", PLACEHOLDER.sub("", EN.texts[key]))}
    assert [key for key in ours - wordless if not CHINESE.search(ZH.texts[key])] == []
    assert [key for key in ours if CHINESE.search(EN.texts[key])] == []


def test_chinese_punctuation_is_full_width() -> None:
    assert [key for key, text in ZH.texts.items() if HALF_WIDTH.search(text)] == []


def test_both_languages_fill_in_the_same_names() -> None:
    differing = [
        key
        for key in ZH.texts
        if set(PLACEHOLDER.findall(ZH.texts[key])) != set(PLACEHOLDER.findall(EN.texts[key]))
    ]
    assert differing == []


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("words", WORDS.values(), ids=lambda words: words.language)
def test_every_trouble_says_what_is_wrong_and_what_to_do(words: Words, trouble: Trouble) -> None:
    assert len(words(f"trouble.{trouble}.what")) > 5
    assert len(words(f"trouble.{trouble}.do")) > 5


@pytest.mark.parametrize("code", CODES)
def test_every_problem_code_has_a_sentence(code: str) -> None:
    known = [kind for kind in ("trouble", "problem") if f"{kind}.{code}.what" in ZH.texts]
    assert known, f"no sentence for the problem code {code}"
    assert ZH(f"{known[0]}.{code}.do")
    assert EN(f"{known[0]}.{code}.do")


def used_keys() -> set[str]:
    """Keys written out in templates, scripts and the pages' code."""
    paths = [*TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.js"), *(HUB / "pages").glob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return {key for text in texts for key in re.findall(r"[\"']([a-z0-9_.]+)[\"']", text)}


def test_every_key_that_is_used_is_known() -> None:
    prefixes = {key.split(".")[0] for key in ZH.texts}
    used = {key for key in used_keys() if KEY.match(key) and key.split(".")[0] in prefixes}
    whole = {key for key in used if not key.endswith((".html", ".js", ".css"))}
    pairs = {key.removesuffix(".what") for key in ZH.texts if key.endswith(".what")}
    assert sorted(whole - set(ZH.texts) - pairs) == []


def test_every_sentence_is_used() -> None:
    """Those whose last part is put in at run time are known by what they begin with."""
    made = (
        "trouble.",
        "problem.",
        "state.",
        "live.quality.",
        "notice.",
        "consent.",
        "log.",
        "sharing.draft.",
        "sos.call.",
        "sos.state.",
        "sharing.dispute.",
    )
    assert sorted(k for k in set(ZH.texts) - used_keys() if not k.startswith(made)) == []
    player = (TEMPLATES / "static/player.js").read_text("utf-8")
    states = set(re.findall(r'"(\w+)"', player.split("STATES:")[1].split("*/")[0]))
    assert {"joining", "playing", "stalled", "stopped"} <= states
    assert sorted(state for state in states if f"state.{state}" not in ZH.texts) == []


def test_problem_sentences_belong_to_a_code() -> None:
    scripts = "".join(path.read_text("utf-8") for path in (TEMPLATES / "static").glob("*.js"))
    local = set(re.findall(r'"([a-z0-9_]+)"', scripts))
    told = {key.split(".")[1] for key in ZH.texts if key.startswith("problem.")}
    assert sorted(told - set(CODES) - local - {"unknown", "server"}) == []


@pytest.mark.parametrize(
    ("cookie", "accept", "expected"),
    [
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "en;q=0.4, zh-TW;q=0.7", "zh"),
        (None, "fr-FR, de;q=0.5", "en"),
        (None, "fr, zh;q=0.1", "zh"),
        (None, "en;q=0, zh;q=0.1", "zh"),
        (None, "", "zh"),
        (None, "*", "en"),
        (None, "zh;q=nonsense,,;;=,en", "en"),
        ("en", "zh-CN", "en"),
        ("zh", "en", "zh"),
        ("klingon", "zh-CN", "zh"),
        (None, "x" * 100_000, "en"),
    ],
)
def test_the_browser_decides_and_the_switch_overrides(
    cookie: str | None, accept: str, expected: str
) -> None:
    assert choose(cookie, accept) == expected


def test_a_sentence_is_filled_in() -> None:
    assert EN("live.still", name="{name} & <b>") == "The latest still from {name} & <b>"


def test_both_languages_are_read() -> None:
    assert tuple(WORDS) == LANGUAGES

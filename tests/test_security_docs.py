"""docs/ref/security.md says the numbers that the code has."""

from pathlib import Path

import pytest

from home_agent import household, lan_guard
from village_core import enrolment, tokens
from village_core.messages import LARGEST_FRAME, MOST_CAMERAS
from village_core.tls import CIPHERS
from village_core.transport import dtls
from village_hub import config, tls
from village_hub.access import codes, credentials, devices, passkeys, shifts, sign_in, token_keys
from village_hub.api import bodies, contract, log
from village_hub.api import passkeys as my_passkeys
from village_hub.cases import request, scans
from village_hub.catalogue import backend, postgres
from village_hub.consent import inviting, window
from village_hub.media import live, uploads
from village_hub.tiers import link

PAGE = " ".join(
    (Path(__file__).resolve().parent.parent / "docs/ref/security.md").read_text().split()
)
HOUR, DAY, MIB = 3_600_000, 86_400_000, 1024 * 1024
LIMITS = config.LimitsConfig()

SAID = {
    "after 72 h": (codes.LINK_VALID, 72 * HOUR),
    "a link of 256 bits and 6 digits told by voice": (inviting.VALID, 72 * HOUR),
    "8 of 20 letters (35 bits), once, 5 tries": (
        (enrolment.TYPED_LENGTH, len(enrolment.ALPHABET), enrolment.TYPED_TRIES),
        (8, 20, 5),
    ),
    "after 10 min": (enrolment.TYPED_VALID, 600),
    "challenge: 5 min": (passkeys.VALID_MS, 5 * 60_000),
    "code: 10 min; screen: end of the shift": (devices.VALID, 600),
    "8 of 28 letters and digits (38 bits), made by the box; 5 wrong ones from one place in 10 min, "
    "30 from all": (
        (
            *(household.LENGTH, len(household.LETTERS), household.TRIES),
            *(household.TRIES_OF_ALL, household.WINDOW),
        ),
        (8, 28, 5, 30, 600),
    ),
    "answered after 0.5 to 1.5 s": (sign_in.SLOWEST_REFUSAL, 1.5),
    "10 failures of one network within 5 min": (
        (sign_in.MOST_FAILURES, sign_in.FAILURES_EVERY, passkeys.FAILURES),
        (10, 300, 10),
    ),
    "| at home | 30 days |": (credentials.SESSION_LIFE, 30 * DAY),
    "| on duty | 12 h | 12 h,": (
        (credentials.DUTY_LIFE, shifts.LONGEST),
        (12 * HOUR, 12),
    ),
    "after 10 min it only shows pictures": (credentials.KIOSK_IDLE, 600_000),
    "| LAN page | 30 days | 30 days,": (lan_guard.LIFE, 30 * DAY / 1000),
    "| token for programs | 15 min |": (tokens.LONGEST[tokens.Kind.ACCESS], 900),
    "| token that opens a view | 5 min |": (tokens.LONGEST[tokens.Kind.MEDIA], 300),
    "a token of 5 min at most, signed by its node key": (tokens.LONGEST[tokens.Kind.NODE], 300),
    "adding one within 15 min of signing in": (my_passkeys.FRESH_MS, 15 * 60_000),
    "1200 a minute": (LIMITS.calls_per_minute, 1200),
    "600 a minute": (LIMITS.media_per_minute, 600),
    "20 a minute": (LIMITS.enrolments_per_minute, 20),
    "64 KiB within 10 s": ((bodies.LARGEST_BODY, bodies.WITHIN), (64 * 1024, 10)),
    "4 MiB, JPEG": (uploads.LARGEST_STILL, 4 * MIB),
    "5 MiB, PDF, JPEG or PNG": ((scans.LARGEST, window.LARGEST_SCAN), (5 * MIB, 5 * MIB)),
    "| media sessions of a hub | 2000 |": (live.MOST_SESSIONS, 2000),
    "| stills waited for | 64 |": (uploads.MOST_WAITING, 64),
    "| cameras of a box | 64 |": (MOST_CAMERAS, 64),
    "| items of a page of a list | 200 |": (contract.MOST, 200),
    "64 KiB; 256 | closed": ((LARGEST_FRAME, link.MOST_WAITING), (64 * 1024, 256)),
    "| passkeys of a person | 20 |": (passkeys.MOST_KEYS, 20),
    "| database connections | 8 |": (backend.READERS + postgres.WRITERS, 8),
    "10,000 lines at most": (log.MOST_LINES, 10_000),
    "8 s for a still": (live.STILL_WITHIN, 8),
    "sign for 60 days, verify 60 min longer": (
        (token_keys.SIGNS_FOR, token_keys.OVERLAP),
        (60 * DAY, 3_600_000),
    ),
    "own CA (10 years) and its leaf (90 days, renewed 30 before)": (
        (tls.CA_LIFE.days, tls.LEAF_LIFE.days, tls.RENEW_BEFORE.days),
        (3650, 90, 30),
    ),
    "TURN credentials of an hour": (config.TurnConfig().lifetime, 3600),
    "of 1.2 only ECDHE with AES-GCM or ChaCha20": (CIPHERS, "ECDHE+AESGCM:ECDHE+CHACHA20"),
    "AES-128-GCM, then AES-128-CM with an 80-bit HMAC-SHA1 for browsers that have nothing else, "
    "then AES-256-GCM": (
        [each.openssl_profile for each in dtls.PROFILES],
        [b"SRTP_AEAD_AES_128_GCM", b"SRTP_AES128_CM_SHA1_80", b"SRTP_AEAD_AES_256_GCM"],
    ),
    "scrypt (N 8192, r 8, p 1)": (household.COST, 8192),
    "drafts 30 days": (request.DRAFT_KEPT, 30 * DAY),
}


@pytest.mark.parametrize("words", SAID)
def test_a_number_on_the_page_is_the_codes(words: str) -> None:
    found, said = SAID[words]
    assert words in PAGE
    assert found == said

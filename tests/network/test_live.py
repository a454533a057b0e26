"""A phone watches a home over bad networks: the real page, hub and agent (issue 2, networks)."""

import pytest

from tests.network.conftest import FPS, Town
from tests.support.lab import DOWN, UP
from tests.support.village import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_a_phone_behind_one_carrier_sees_a_home_behind_another(town: Town) -> None:
    """And nobody speaks to a foreign STUN server, or asks for its name (RET-6)."""
    phone = town.browse()
    phone.watch("gate")
    assert phone.decodes(5) > FPS * 0.95
    assert phone.received()["relay"] is False
    assert town.lab.strays() == 0
    assert [name for name in town.lab.names_asked() if "stun" in name or "turn" in name] == []


@pytest.mark.slow
def test_losses_on_both_lines_are_repaired(town: Town) -> None:
    """5% lost each way on the home's line and on the phone's: 95% of the pictures decode."""
    phone = town.browse()
    phone.watch("gate")
    for line in (town.carrier.link, town.mobile.link):
        for way in (UP, DOWN):
            line.lose(percent=5, way=way)
    rate = phone.decodes(20)
    assert town.carrier.link.counts(UP)[1] > 100  # it did lose packets
    assert town.mobile.link.counts(DOWN)[1] > 100
    assert rate >= FPS * 0.95, phone.received()


@pytest.mark.slow
def test_a_narrow_line_falls_to_the_small_picture_and_goes_on(town: Town) -> None:
    """1 Mbit/s for a camera of 2 Mbit/s."""
    phone = town.browse()
    phone.watch("gate")
    assert phone.received()["width"] == 1280
    town.mobile.link.rate(1_000_000)
    phone.page.wait_for_timeout(12_000)
    assert phone.decodes(10) > FPS * 0.8, phone.received()
    assert phone.received()["width"] == 640


@pytest.mark.slow
def test_the_picture_is_back_soon_after_the_line_is(town: Town) -> None:
    """The home's line is dead for 30 s: after its return the picture moves again."""
    phone = town.browse()
    phone.watch("gate")
    town.carrier.link.down()
    phone.page.wait_for_timeout(30_000)
    before = phone.received()["decoded"]
    town.carrier.link.up()
    phone.until_more_than(before)
    until(lambda: phone.decodes(4) > FPS * 0.9, 60)


@pytest.mark.slow
def test_a_new_address_of_the_home_is_recovered_from(town: Town) -> None:
    phone = town.browse()
    phone.watch("gate")
    town.carrier.renumber("203.0.113.21")
    before = phone.received()["decoded"]
    phone.until_more_than(before)
    until(lambda: phone.decodes(4) > FPS * 0.9, 60)


@pytest.mark.slow
def test_a_restarted_hub_is_found_again(town: Town) -> None:
    phone = town.browse()
    phone.watch("gate")
    assert town.village.hub
    town.village.hub.stop()
    town.village.start_hub()
    before = phone.received()["decoded"]
    phone.until_more_than(before)
    until(lambda: phone.decodes(4) > FPS * 0.9, 60)

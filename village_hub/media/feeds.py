"""All feeds of this node: made when first wanted or brought, forgotten when neither."""

from collections.abc import Callable, Iterator

from village_core.clock import Clock
from village_core.media.packet import Kind
from village_core.media.stream import Stream
from village_core.permits import Quality
from village_hub.catalogue.rows import CameraKind, CameraRow
from village_hub.media.feed import Feed

ANY_PROFILE = "42e01f"  # what every browser takes, until a pushing camera's SPS is seen


class Feeds:
    """`hurry` is called when a leg of one of the streams wants ticks."""

    def __init__(self, clock: Clock, hurry: Callable[[], None]) -> None:
        self._clock = clock
        self._hurry = hurry
        self._feeds: dict[tuple[str, Quality], Feed] = {}

    def __iter__(self) -> Iterator[Feed]:
        return iter(tuple(self._feeds.values()))

    def find(self, camera: str, quality: Quality) -> Feed | None:
        return self._feeds.get((camera, quality))

    def of(self, camera: str) -> list[Feed]:
        return [feed for feed in self._feeds.values() if feed.camera == camera]

    def get(self, camera: CameraRow, quality: Quality) -> Feed:
        """Made if there is none; a camera's two share one audio stream."""
        feed = self._feeds.get((camera.id, quality))
        if feed is None:
            audio = next((each.audio for each in self.of(camera.id)), None) or self._audio(camera)
            feed = self._feeds[camera.id, quality] = Feed(camera.id, quality, self._clock, audio)
            feed.row = camera
            feed.stream.on_slow = audio.on_slow = self._hurry
        return feed

    def for_viewer(self, camera: CameraRow, quality: Quality) -> dict[Quality, Feed]:
        """What a viewer may be moved between: a permit for `sub` gives no `main`."""
        if camera.kind is CameraKind.PUSH:
            there = [feed.quality for feed in self.of(camera.id) if feed.publishing is not None]
        else:
            there = [each for each in Quality if camera.encoding(each) is not None]
        if quality is Quality.SUB and Quality.SUB in there:
            there = [Quality.SUB]
        return {each: self.get(camera, each) for each in there}

    def flowing(self, camera: str) -> bool:
        return any(feed.flowing for feed in self.of(camera))

    def forget(self, feed: Feed) -> None:
        self._feeds.pop((feed.camera, feed.quality), None)

    def profile(self, camera: CameraRow, quality: Quality) -> str:
        """The H.264 profile-level-id that an answer is written for."""
        encoding = camera.encoding(quality) or camera.main or camera.sub
        return encoding.profile_level_id if encoding is not None else ANY_PROFILE

    def audio_codec(self, camera: CameraRow) -> str | None:
        if camera.kind is CameraKind.AGENT:
            return camera.audio
        brought = [feed.publishing for feed in self.of(camera.id)]
        choices = [choice for each in brought if each is not None for choice in each.choices]
        return next((each.codec.name for each in choices if each.kind is Kind.AUDIO), None)

    def _audio(self, camera: CameraRow) -> Stream:
        rate = 48_000 if camera.audio == "opus" else 8000
        return Stream(camera.id, Quality.MAIN, self._clock, kind=Kind.AUDIO, clock_rate=rate)

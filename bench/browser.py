"""How long from play to the first painted frame, in Chromium, on the real page?

The page is open and has prepared; `play` is what it does by itself then. Warm: somebody watches
already. Cold: nobody does. `python -m bench.browser [--times 20]`.
"""

import argparse
import asyncio
import shutil
import sys

from playwright.async_api import Page, async_playwright

from bench.crowd import driven
from bench.hub import BenchHub, bench_hub, file_camera
from bench.measure import machine, percentile, table

COLD_AFTER = 13.0  # seconds: a push stops 10 s after its last consumer
SIZE = {"width": 390, "height": 844}
ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
STOP = "() => villagePlayer.stop()"
PLAY = """
async () => {
  const video = document.getElementById("video");
  villagePlayer.prepare();
  await new Promise((done) => setTimeout(done, 300));
  const began = performance.now();
  const painted = new Promise((done) => video.requestVideoFrameCallback((now) => done(now)));
  villagePlayer.play();
  return (await painted) - began;
}
"""


async def warm(hub: BenchHub, page: Page, camera: str, times: int) -> list[float]:
    async with driven("bench.viewers") as crowd:
        bearers = hub.tokens(camera, 1)
        await crowd.order(endpoint=hub.endpoint(camera), bearers=bearers, host=hub.address)
        return [await _play(page, 0.5) for _ in range(times)]


async def cold(page: Page, times: int) -> list[float]:
    return [await _play(page, COLD_AFTER) for _ in range(times)]


async def _play(page: Page, after: float) -> float:
    """Milliseconds."""
    await page.evaluate(STOP)
    await asyncio.sleep(after)
    return float(await page.evaluate(PLAY))


async def measured(hub: BenchHub, times: int) -> list[tuple[str, list[float]]]:
    camera = hub.client.camera("gate")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGS
        )
        page = await browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        await page.goto(hub.village.sign_in_link("bench"))
        await page.wait_for_url(hub.village.url + "/")
        await page.locator("[data-camera]").first.click()
        await page.wait_for_selector("#video")
        await _play(page, 1.0)
        found = [
            ("somebody watches", await warm(hub, page, camera, times)),
            ("nobody watches", await cold(page, max(times // 2, 1))),
        ]
        await browser.close()
    return found


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    said = parser.parse_args()
    if shutil.which("chromium") is None:
        sys.exit("chromium is not installed")
    with bench_hub({"gate": file_camera()}) as hub:
        rows = [
            (what, len(found), *(f"{percentile(found, share):.0f}" for share in (0.5, 0.95, 1.0)))
            for what, found in await measured(hub, said.times)
        ]
    print(table(("play to first painted frame", "times", "p50 ms", "p95 ms", "most ms"), rows))
    print(machine())


if __name__ == "__main__":
    asyncio.run(main())

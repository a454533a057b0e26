"""Buttons and lamps of the privacy switch and of SOS, by the Linux input and LED interfaces.

The switch's button can only turn off: turning on needs the household's code. `struct input_event`
and the codes are those of linux/input.h and linux/input-event-codes.h.
"""

import asyncio
import logging
import os
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

from home_agent.config import SosConfig, SwitchConfig
from home_agent.sos import Sos
from home_agent.state import StateError
from home_agent.switch import Switch
from village_core.clock import Clock
from village_core.jobs import Supervisor

log = logging.getLogger(__name__)

EVENT = struct.Struct("@llHHi")  # seconds, microseconds, type, code, value
EV_SYN, EV_KEY, EV_LED = 0x00, 0x01, 0x11
PRESSED = 1
BLINK = 0.4  # seconds
PANEL_ERRORS = (OSError, StateError)


def start_panel(config: SwitchConfig, switch: Switch, supervisor: Supervisor) -> None:
    """Watch the button and keep the lamp, where there are any."""

    async def off() -> None:
        await switch.turn_off("button")

    if config.button:
        button = Button(config.button, config.button_key, off)
        supervisor.start("privacy button", button.run, expected=PANEL_ERRORS)
    if config.lamp:
        lamp = Lamp(config, switch)
        switch.listen(lamp.change)
        supervisor.start("privacy lamp", lamp.run, expected=PANEL_ERRORS)


def start_sos_panel(config: SosConfig, sos: Sos, supervisor: Supervisor, clock: Clock) -> None:
    """The same for calls for help."""

    async def press() -> None:
        await sos.press("button")

    if config.button:
        button = Button(config.button, config.button_key, press)
        supervisor.start("SOS button", button.run, expected=PANEL_ERRORS)
    if config.lamp:
        lamp = SosLamp(config, sos, clock)
        supervisor.start("SOS lamp", lamp.run, expected=PANEL_ERRORS)


class Button:
    """Reads one input device; `run` ends with OSError when it is pulled out."""

    def __init__(self, device: str, key: int, press: Callable[[], Awaitable[None]]) -> None:
        self._device = device
        self._key = key
        self._press = press

    async def run(self) -> None:
        handle = os.open(self._device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while True:
                if self._is_press(await _readable(handle)):
                    await self._press()
        finally:
            os.close(handle)

    def _is_press(self, data: bytes) -> bool:
        whole = len(data) - len(data) % EVENT.size  # the kernel gives whole events
        return any(
            kind == EV_KEY and value == PRESSED and self._key in (0, code)
            for _, _, kind, code, value in EVENT.iter_unpack(data[:whole])
        )


async def _readable(handle: int) -> bytes:
    """The next bytes of a device that does not block."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(handle, wake)
    try:
        await ready
    finally:
        loop.remove_reader(handle)
    data = os.read(handle, EVENT.size * 64)
    if not data:
        raise OSError("the button's device is gone")
    return data


class Light:
    """An input device's LED, or a folder of /sys/class/leds."""

    def __init__(self, path: str, led: int) -> None:
        self._path = Path(path)
        self._led = led

    async def show(self, *, lit: bool) -> None:
        """Raises OSError."""
        await asyncio.to_thread(self._show, lit=lit)

    def _show(self, *, lit: bool) -> None:
        if self._path.is_dir():
            _show_led(self._path, lit=lit)
            return
        handle = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(handle, EVENT.pack(0, 0, EV_LED, self._led, int(lit)))
            os.write(handle, EVENT.pack(0, 0, EV_SYN, 0, 0))
        finally:
            os.close(handle)


class Lamp:
    """Shows the switch."""

    def __init__(self, config: SwitchConfig, switch: Switch) -> None:
        self._light = Light(config.lamp, config.lamp_led)
        self._lit_when_off = config.lamp_when == "off"
        self._switch = switch
        self._changed = asyncio.Event()

    def change(self) -> None:
        self._changed.set()

    async def run(self) -> None:
        while True:
            self._changed.clear()
            await self._light.show(lit=self._switch.off == self._lit_when_off)
            await self._changed.wait()


class SosLamp:
    """Blinks while a call for help is not sent; lit while one that was sent is on."""

    def __init__(self, config: SosConfig, sos: Sos, clock: Clock) -> None:
        self._light = Light(config.lamp, config.lamp_led)
        self._sos = sos
        self._clock = clock

    async def run(self) -> None:
        lit: bool | None = None
        while True:
            wanted = not lit if self._sos.pending else self._sos.shown is not None
            if wanted != lit:
                await self._light.show(lit=wanted)
                lit = wanted
            await self._clock.sleep(BLINK)


def _show_led(folder: Path, *, lit: bool) -> None:
    trigger = folder / "trigger"
    if trigger.exists():
        trigger.write_text("none")  # else the kernel blinks it for something else
    full = folder / "max_brightness"
    brightest = full.read_text().strip() if full.exists() else "1"
    (folder / "brightness").write_text(brightest if lit else "0")

"""The end of every way to sign in: the browser's cookie is the new session's, the old one ends."""

from aiohttp import web

from village_hub import keys
from village_hub.access.credentials import cookie_name, set_cookie
from village_hub.access.guard import SOURCE


async def give_cookie(
    request: web.Request, response: web.StreamResponse, secret: str, age: int
) -> None:
    """`age` in seconds."""
    source = request[SOURCE]
    if before := request.cookies.get(cookie_name(source)):
        await request.app[keys.SIGN_INS].replaced(before)
        request.app[keys.RENEWAL].look_soon()  # what it watched ends with it
    set_cookie(response, source, secret, age)

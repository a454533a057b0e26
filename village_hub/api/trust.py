"""Public keys, and the node key's word for them; public, since all of it is."""

from aiohttp import web
from pydantic import Field

from village_core import vouching
from village_hub import keys
from village_hub.access.guard import SOURCE
from village_hub.access.throttle import network_of
from village_hub.api.contract import Shape, operation, read_query
from village_hub.errors import TooMany

routes = web.RouteTableDef()

JWKS_AGE = 300  # seconds that others may keep the set


class Asking(Shape):
    """`nonce` is the asker's own, so that the answer is fresh."""

    nonce: str = Field(min_length=22, max_length=86, pattern="^[A-Za-z0-9_-]+$")


@routes.get("/.well-known/jwks.json", name="jwks")
@operation(content=("application/json",))
async def jwks(request: web.Request) -> web.Response:
    """The token keys (RFC 7517; IDN-4)."""
    found = {"keys": [key.jwk() for key in request.app[keys.TOKEN_KEYS].public]}
    return web.json_response(found, headers={"Cache-Control": f"public, max-age={JWKS_AGE}"})


@routes.get(vouching.PATH, name="vouch")
@operation(query=Asking, content=("application/jwt",), errors=(TooMany,))
async def vouch(request: web.Request) -> web.Response:
    """What the node key vouches for, fresh by the asker's nonce (village_core/vouching.py)."""
    request.app[keys.THROTTLES].vouch.spend(network_of(request[SOURCE].address))
    nonce = read_query(request, Asking).nonce
    node = request.app[keys.NODE]
    token = vouching.vouch(
        node.id,
        node.key,
        request.app[keys.CLOCK],
        nonce,
        request.app[keys.CERTIFICATES].digests,
        request.app[keys.TOKEN_KEYS].public,
    )
    return web.Response(
        text=token, content_type="application/jwt", headers={"Cache-Control": "no-store"}
    )

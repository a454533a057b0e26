"""Status lists, for whoever verifies a grant (IDN-9). Public: a list is an array of numbers, says
nothing of a household, and everyone who is refused by it should be able to read it."""

import re

from aiohttp import web

from village_hub import keys
from village_hub.access.status_lists import PATH
from village_hub.api.contract import operation
from village_hub.errors import NotFound

routes = web.RouteTableDef()

CONTENT = "application/statuslist+jwt"
NUMBER = re.compile("[1-9][0-9]{0,5}")


@routes.get(PATH + "/{list}", name="status_list")
@operation(content=(CONTENT,), errors=(NotFound,))
async def status_list(request: web.Request) -> web.Response:
    """A Token Status List, signed now. A copy is good as long as `Cache-Control` says; its `exp`
    is when it is good for nothing."""
    said = request.match_info["list"]
    number = int(said) if NUMBER.fullmatch(said) else 0
    found = await request.app[keys.STATUS_LISTS].signed(number)
    if found is None:
        raise NotFound("there is no such list")
    age = found.good_for(request.app[keys.CLOCK].utc_ms())
    headers = {"Cache-Control": f"public, max-age={age}"}
    return web.Response(text=found.text, content_type=CONTENT, headers=headers)

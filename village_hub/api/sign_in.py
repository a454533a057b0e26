"""Signing in by a one-time code, signing out. Sign-in is public: that is what it is for."""

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from village_hub import keys
from village_hub.access.credentials import SESSION_LIFE, set_cookie
from village_hub.access.guard import SOURCE, person
from village_hub.access.origin import check_same_origin
from village_hub.api import bodies
from village_hub.api.coming_in import give_cookie
from village_hub.api.contract import Shape, operation, reply
from village_hub.errors import NotFound, TooMany

routes = web.RouteTableDef()


class SignInBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(min_length=1, max_length=200, repr=False)


class PersonSignedIn(Shape):
    id: str
    name: str


class SignedInShown(Shape):
    person: PersonSignedIn


@routes.post("/api/v1/sign-in", name="sign_in")
@operation(body=SignInBody, answer=SignedInShown, errors=(NotFound, TooMany))
async def sign_in(request: web.Request) -> web.Response:
    """{code} -> a session cookie. 404 bad_code, 429."""
    source = request[SOURCE]
    if "Origin" in request.headers:  # another site must not sign anybody in here
        check_same_origin(request, source)
    body = await bodies.read(request, SignInBody)
    device = request.headers.get("User-Agent", "")
    signed_in = await request.app[keys.SIGN_INS].sign_in(body.code, device, source)
    response = reply(SignedInShown(person=PersonSignedIn(id=signed_in.person, name=signed_in.name)))
    await give_cookie(request, response, signed_in.secret, SESSION_LIFE // 1000)
    return response


@routes.post("/api/v1/sign-out", name="sign_out")
@operation()
async def sign_out(request: web.Request) -> web.Response:
    """Ends this session, and within seconds what it was watching."""
    caller = person(request)
    await request.app[keys.SIGN_INS].end(caller.subject, caller.sign_in)
    request.app[keys.RENEWAL].look_soon()
    response = web.Response(status=204)
    set_cookie(response, request[SOURCE], "", 0)
    return response

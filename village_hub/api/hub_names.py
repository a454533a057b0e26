"""What the hub is called that signed somebody in: households read it beside every look (IDN-6)."""

from aiohttp import web

from village_hub import keys


def hub_name(app: web.Application, issuer: str) -> str:
    """This hub's own name, the one above's, else the place that the county's list has it for."""
    if issuer == app[keys.NODE].id:
        return app[keys.NODE].name
    tie = app[keys.UPWARD].tie
    if tie is not None and tie.hub == issuer:
        return tie.hub_name
    return app[keys.TRUST].place_of(issuer) or issuer

"""How the ONVIF test camera refuses."""

from aiohttp import web

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"


class RefusalError(Exception):
    """A SOAP fault."""

    def __init__(self, code: str, text: str = "", status: int = 400) -> None:
        super().__init__(text or code)
        self.code, self.status = code, status


def fault(code: str, text: str, status: int) -> web.Response:
    envelope = (
        f'<e:Envelope xmlns:e="{ENVELOPE}" xmlns:ter="http://www.onvif.org/ver10/error"><e:Body>'
        f"<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>ter:{code}</e:Value>"
        f'</e:Subcode></e:Code><e:Reason><e:Text xml:lang="en">{text}</e:Text></e:Reason></e:Fault>'
        "</e:Body></e:Envelope>"
    )
    return web.Response(status=status, content_type="application/soap+xml", text=envelope)

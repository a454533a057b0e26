"""The server's side of HTTP Digest (RFC 7616), written apart from the client that it tests."""

import hashlib
import re
import secrets

_PAIR = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class DigestGate:
    """Lets one account in. With `lifetime`, a nonce is stale after that many requests."""

    def __init__(
        self,
        user: str,
        password: str,
        algorithm: str = "MD5",
        *,
        qop: bool = True,
        lifetime: int = 0,
    ) -> None:
        self.user, self.password, self.algorithm = user, password, algorithm
        self.qop, self.lifetime = qop, lifetime
        self.realm = "camera"
        self._counts: dict[str, int] = {}
        self.stale_told = 0

    def challenge(self, authorization: str | None, method: str) -> str | None:
        """None when the request may pass, else the WWW-Authenticate value of a 401."""
        if not authorization or not authorization.startswith("Digest "):
            return self._new()
        given = {name: quoted or bare for name, quoted, bare in _PAIR.findall(authorization)}
        nonce = given.get("nonce", "")
        if nonce not in self._counts or not self._fits(given, method):
            return self._new()
        if self.qop:
            count = int(given["nc"], 16)
            if count <= self._counts[nonce]:
                return self._new()  # a count used before is a replay
            self._counts[nonce] = count
        else:
            self._counts[nonce] += 1
        if self.lifetime and self._counts[nonce] > self.lifetime:
            self.stale_told += 1
            return self._new() + ", stale=true"
        return None

    def _new(self) -> str:
        nonce = secrets.token_hex(12)
        self._counts[nonce] = 0
        qop = ', qop="auth"' if self.qop else ""
        return f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={self.algorithm}{qop}'

    def _fits(self, given: dict[str, str], method: str) -> bool:
        def hashed(text: str) -> str:
            return HASHES[self.algorithm](text.encode()).hexdigest()

        secret = hashed(f"{self.user}:{self.realm}:{self.password}")
        request = hashed(f"{method}:{given.get('uri', '')}")
        middle = given["nonce"]
        if self.qop:
            middle += f":{given.get('nc')}:{given.get('cnonce')}:auth"
        right = hashed(f"{secret}:{middle}:{request}")
        return given.get("username") == self.user and given.get("response") == right

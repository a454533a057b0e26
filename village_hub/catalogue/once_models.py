"""The table of answers already given to an Idempotency-Key: columns only."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field, SQLModel


class Once(SQLModel, table=True):
    """`status` is NULL while the first request runs, or after a crash in the middle of it."""

    digest: str = Field(primary_key=True)  # of caller, route and key
    request: str  # digest of what was asked
    created: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    status: int | None = None
    kind: str = ""  # the answer's media type
    location: str = ""
    body: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))

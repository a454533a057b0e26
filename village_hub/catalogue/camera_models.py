"""The table of what is on record of a camera (CAM-9): columns only.

No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, Column, Text
from sqlmodel import Field, SQLModel


class CameraRecord(SQLModel, table=True):
    """One a camera. Who writes it proposes; `approved` is the second person's, or its owner's."""

    __tablename__ = "camera_record"

    camera_id: str = Field(primary_key=True, foreign_key="camera.id")
    camera_class: str
    place: str  # the kind of place
    purpose: str = Field(sa_column=Column(Text, nullable=False))
    installer: str
    duty: str = Field(sa_column=Column(Text, nullable=False))
    sign_placed: bool
    mask_needed: bool
    mask: str = Field(sa_column=Column(Text, nullable=False))  # polygons as JSON
    proposed_by: str  # a person's id
    proposed: int = Field(sa_column=Column(BigInteger, nullable=False))
    picture_sha256: str | None = None  # of the view that was approved
    approved_by: str | None = None
    approved: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    objection: str | None = None  # the open objection that pauses sharing (PRM-19)
    version: int = 1

"""The table in the code is the table of requirements.md section 5 (PRM-1), cell by cell."""

import re

import pytest

from village_core.permits import Action, CameraClass, Role
from village_hub.access.matrix import TABLE, Cell, Code, Column, Row, columns_of

# As the specification has it: the letters of each cell, ✎ for a second person, "may" for words.
SPECIFIED = """
| row             | H-IN | H-OUT | H rec | SOS | P live | P rec | health | config | consent | ask | export | own log | audit | people |
| owner           | O    | O     | O     | O   | -      | may   | O      | O      | may     | -   | O      | may     | -     | may    |
| member          | C    | C     | C     | O   | -      | may   | M      | -      | -       | -   | -      | may     | -     | -      |
| neighbour       | -    | C     | -     | S   | -      | may   | -      | -      | -       | may | -      | -       | -     | -      |
| committee       | -    | C S   | C     | S   | D      | D     | M      | D✎     | -       | may | D✎     | may     | -     | -      |
| carer           | C    | C     | -     | S   | -      | -     | -      | -      | -       | may | -      | may     | -     | -      |
| township        | -    | -     | -     | S   | D      | D     | A      | -      | -       | may | -      | may     | -     | -      |
| station_officer | -    | C S   | C R   | S   | D      | D R   | M      | -      | -       | may | R✎     | may     | -     | -      |
| bureau_officer  | -    | S     | R     | S   | D      | R     | A      | -      | -       | may | R✎     | may     | -     | -      |
| engineer        | -    | -     | -     | -   | -      | -     | M      | may✎   | -       | -   | -      | may     | -     | -      |
| auditor         | -    | -     | -     | -   | -      | -     | A      | -      | -       | -   | may    | may     | may   | may    |
| admin           | -    | -     | -     | -   | -      | -     | M      | may    | -       | -   | -      | may     | -     | may✎   |
"""  # noqa: E501 - a table
FURTHER = {Column.CARE, Column.LOST, Column.STAFF_KEYS}
COLUMNS = [column for column in Column if column not in FURTHER]


def specified() -> dict[tuple[Row, Column], set[str]]:
    lines = [line.strip("| ").split("|") for line in SPECIFIED.strip().splitlines()][1:]
    return {
        (Row(row.strip()), column): set(re.findall(r"[^\s-]+", cell))
        for row, *cells in lines
        for column, cell in zip(COLUMNS, cells, strict=True)
    }


def written(cell: Cell) -> str:
    return cell.code.value + "✎" * cell.second


@pytest.mark.parametrize("row", Row)
@pytest.mark.parametrize("column", COLUMNS)
def test_every_cell_is_the_specified_one(row: Row, column: Column) -> None:
    found = {written(cell) for cell in TABLE[row].get(column, ())}
    assert found == specified()[row, column]


def test_every_role_has_its_row_and_every_row_is_a_role_or_a_relation() -> None:
    relations = {Row.OWNER, Row.MEMBER, Row.NEIGHBOUR}
    assert {Row(role.value) for role in Role} | relations == set(Row)


def test_care_without_a_picture_is_for_the_household_and_its_carers() -> None:
    """PRM-13: an action of its own."""
    holders = {row for row in Row if TABLE[row].get(Column.CARE)}
    assert holders == {Row.OWNER, Row.MEMBER, Row.CARER}


def test_what_was_lost_is_ended_at_home_or_by_two_and_never_by_one_of_the_staff() -> None:
    """Issue 3: any adult member, or the window with two; staff before two of the tier above."""
    lost = {row: TABLE[row].get(Column.LOST, ()) for row in Row}
    assert {row for row, found in lost.items() if found} == {Row.OWNER, Row.MEMBER, Row.COMMITTEE}
    assert [cell.second for cell in lost[Row.COMMITTEE]] == [True]
    keys = [cell for row in Row for cell in TABLE[row].get(Column.STAFF_KEYS, ())]
    assert keys
    assert all(cell.second for cell in keys)


@pytest.mark.parametrize("camera_class", CameraClass)
@pytest.mark.parametrize("action", Action)
def test_every_action_has_its_columns(action: Action, camera_class: CameraClass) -> None:
    """A public camera is never looked up as a home's, nor the reverse; publishing is in no column:
    a ticket or publish token is."""
    found = set(columns_of(action, camera_class))
    assert bool(found) is (action is not Action.PUBLISH)
    homes = {Column.H_IN_LIVE, Column.H_OUT_LIVE, Column.H_RECORDINGS, Column.SOS_MEDIA}
    publics = {Column.P_LIVE, Column.P_RECORDINGS}
    assert not found & (homes if camera_class.public else publics)


def test_no_code_for_pictures_stands_in_a_medialess_row() -> None:
    """PRM-11."""
    pictures = {Code.O, Code.C, Code.S, Code.R, Code.D}
    for row in (Row.ENGINEER, Row.AUDITOR, Row.ADMIN):
        assert not {cell.code for cells in TABLE[row].values() for cell in cells} & pictures

"""A village of three people, two households and no secrets, for the tests of notices."""

from dataclasses import dataclass

from village_core.ids import new_id
from village_hub.catalogue import people
from village_hub.catalogue.store import Catalogue


@dataclass
class Village:
    """Wang and Fang own `home`; `empty` has no owner; Zhao owns nothing."""

    catalogue: Catalogue
    home: str
    empty: str
    wang: str
    fang: str
    zhao: str

    @classmethod
    async def make(cls, catalogue: Catalogue) -> "Village":
        found = cls(catalogue, *(new_id() for _ in range(5)))
        await catalogue.write(people.add_household, found.home, "王家", 1)
        await catalogue.write(people.add_household, found.empty, "空家", 1)
        await catalogue.write(people.add_household, "elsewhere", "赵家", 1)
        await catalogue.write(people.add_owner, found.wang, "王", found.home, 1)
        await catalogue.write(people.add_owner, found.fang, "方", found.home, 1)
        await catalogue.write(people.add_owner, found.zhao, "赵", "elsewhere", 1)
        return found

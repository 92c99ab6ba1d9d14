"""The HR systems that can be asked, made from the settings.  For workers: it needs their keys."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from config.settings import Settings
from config.sources import Api, BambooHR, Finch, Gusto, Source
from workers.hr import bamboohr, finch, gusto
from workers.hr.base import HrSystem
from workers.targets.base import Limit


def build(settings: Settings, limit: Callable[[str, Api], Limit]) -> dict[str, HrSystem]:
    """Each source that can be asked, by its name; nothing is connected yet.

    `limit` makes the limit of a source's API.
    """
    return {
        name: _asking(settings.sources[name], settings.zone_of(name), limit(name, api))
        for name, api in settings.apis.items()
    }


def _asking(source: Source, zone: ZoneInfo, limit: Limit) -> HrSystem:
    match source:
        case BambooHR():
            return bamboohr.BambooHR(source, zone, limit)
        case Gusto(api=Api() as api):
            return gusto.Gusto(api, zone, limit)
        case Finch(api=Api() as api):
            return finch.Finch(api, zone, limit)
    raise ValueError("a source that cannot be asked")

"""The HR systems that can be asked, made from the settings.  For workers: it needs their keys."""

from collections.abc import Callable

from config.settings import Settings
from config.sources import Api, BambooHR
from workers.hr import bamboohr
from workers.hr.base import HrSystem
from workers.targets.base import Limit


def build(settings: Settings, limit: Callable[[str, Api], Limit]) -> dict[str, HrSystem]:
    """Each source that can be asked, by its name; nothing is connected yet.

    `limit` makes the limit of a source's API.
    """
    return {
        name: bamboohr.BambooHR(source, settings.zone_of(name), limit(name, source.api))
        for name, source in settings.sources.items()
        if isinstance(source, BambooHR) and source.api
    }

"""When periodic things happen: runs of CronJobs, and the turns of periodic edges."""

import numpy as np

from datasets.generator.options import DAY, HOUR, START
from datasets.generator.seeds import Ints, luck

HOURLY, DAILY, WEEKLY, MONTHLY = "hourly", "daily", "weekly", "monthly"
_DAYS = {DAILY: 1, WEEKLY: 7, MONTHLY: 30}


def turns(seed: int, period: str, numbers: Ints, day: int) -> tuple[Ints, Ints]:
    """Return int64[k] twice: whose turn it is on the day, as positions, and the second of it.

    ``numbers`` name the things; each has a minute of its own, and a day of week or month.
    """
    minute = (luck(seed, "minute", numbers) * 60).astype(np.int64)
    begin = START + day * DAY
    if period == HOURLY:
        which = np.repeat(np.arange(len(numbers)), 24)
        hour = np.tile(np.arange(24), len(numbers))
        return which, begin + hour * HOUR + minute[which] * 60
    every = _DAYS[period]
    phase = (luck(seed, "phase", numbers) * every).astype(np.int64)
    which = np.flatnonzero(phase == day % every)
    hour = (luck(seed, "hour", numbers) * 24).astype(np.int64)[which]
    return which, begin + hour * HOUR + minute[which] * 60

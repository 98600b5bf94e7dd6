"""How much each caller may: requests, wrong passwords, what is kept, addresses that are fetched.

The one module that imports limits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from index.errors import Code, RefusedError, SettingsError

BYTES_PER_UNIT = 10_000
"""Bytes that count as one where what a client says of answers is kept."""

#: By the code of the error: how many each process takes of a client, and what it is told then.
_QUOTAS: Mapping[Code, tuple[RateLimitItem, str]] = {
    "many_tries": (parse("10/minute"), "Too many wrong passwords were given for this name."),
    "many_kept": (parse("500/hour"), "So much is not kept of one person in an hour."),
    "many_fetched": (
        parse("60/hour"),
        "So many addresses are not fetched for one person in an hour.",
    ),
}


class Quotas:
    """Counts what callers do, in this process. May be used from many threads.

    Args:
        rate: how many requests each caller may send, such as `600/minute`.

    Raises:
        SettingsError: the rate is malformed.
    """

    def __init__(self, rate: str) -> None:
        try:
            requests = (parse(rate), "{} has sent as many requests as it may ({}).")
        except ValueError as error:
            raise SettingsError(
                f"The rate {rate!r} cannot be understood. Write it as in 600/minute or 5/second."
            ) from error
        self._quotas: Mapping[Code, tuple[RateLimitItem, str]] = {
            **_QUOTAS,
            "many_requests": requests,
        }
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def use(
        self, code: Code, client: str, cost: int = 1, *, count: bool = True, name: str = ""
    ) -> None:
        """Use some of a quota.

        Args:
            code: names the quota.
            client: whose it is; see `callers.client_of`.
            cost: how much of it.
            count: whether this counts too.
            name: of the caller, for the message.

        Raises:
            RefusedError: the client has used all of it.
        """
        rate, detail = self._quotas[code]
        check = self._limiter.hit if count else self._limiter.test
        if not check(rate, code, client, cost=cost):
            reset = self._limiter.get_window_stats(rate, code, client).reset_time
            wait = max(1, math.ceil(reset - time.time()))
            detail = f"{detail.format(name, rate)} Try again in {wait} seconds."
            raise RefusedError(detail, 429, wait, code=code, count=math.ceil(wait / 60))

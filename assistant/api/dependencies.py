"""FastAPI dependencies: who sends a request, with the scopes that a route needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from assistant.access.api_keys import Scope
from assistant.access.callers import Caller


def _needs(*scopes: Scope) -> Callable[[Request], Caller]:
    def caller(request: Request) -> Caller:
        found: Caller = request.state.caller  # put there by `SecurityMiddleware`
        found.need(*scopes)
        return found

    return caller


#: Whoever may ask, may change what is theirs, may do one or the other, may read what is counted.
reader, writer = _needs("ask", "write"), _needs("write")
Asker = Annotated[Caller, Depends(_needs("ask"))]
Writer = Annotated[Caller, Depends(writer)]
Reader = Annotated[Caller, Depends(reader)]
Observer = Annotated[Caller, Depends(_needs("metrics"))]

"""What may write the answers on the page: the language model that is set; or, where none is, one
that runs on this machine, if the person lets it.

The server keeps no choice: each question says what writes its answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from assistant.llm.checks import checked
from assistant.llm.client import check_installed
from assistant.llm.discovery import CHOSEN_PATIENCE, NONE, Offer, Server, find_offers
from assistant.llm.writer import Writer
from index.errors import SettingsError

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.settings import Settings


class AnswerModels:
    """What may write for one assistant.

    Args:
        assistant: the language model that is set is its own.
        servers: where others are looked for; nowhere if one is set, or `none`.
    """

    def __init__(self, assistant: Assistant, servers: Sequence[Server]) -> None:
        self._assistant = assistant
        settled = assistant.writer_name is not None or assistant.settings.llm is not None
        self._servers = () if settled else tuple(servers)

    def to_dict(self) -> dict[str, Any]:
        """As plain values: the name of the one that is `set`, those that are `offered`, of each
        whether it was checked and how that ended, and the command that installs what is `missing`
        before one of those can write."""
        offers = find_offers(self._servers)
        own = self._assistant.writer_name
        return {
            "set": own,
            "check": None if own is None else checked(self._assistant.settings),
            "offered": [
                {
                    "llm": offer.setting,
                    "name": offer.name,
                    "server": offer.server.title,
                    "check": checked(self._settings_for(offer)),
                }
                for offer in offers
            ],
            "missing": _missing() if offers else None,
        }

    @contextmanager
    def chosen(self, llm: str | None) -> Iterator[bool | Writer]:
        """What `Assistant.for_documents` lets write inside a `with`.

        Args:
            llm: None lets write what is set, `none` quotes; or the setting of an offered model.

        Raises:
            SettingsError: that model is not offered (any more), or a package for it is missing.
        """
        if llm is None or llm == NONE:
            yield llm is None
            return
        key = llm.partition(":")[0]
        near = [server for server in self._servers if server.key == key]
        offers = [offer for offer in find_offers(near, CHOSEN_PATIENCE) if offer.setting == llm]
        if not offers:
            raise SettingsError(
                f"The language model {llm!r} is not running on this machine. Start it, or choose "
                "below that answers are quoted.",
                code="writer_gone",
            )
        with closing(Writer(self._settings_for(offers[0]))) as writer:
            yield writer

    def _settings_for(self, offer: Offer) -> Settings:
        """The settings in force, but for the language model: this one."""
        # Where it is may differ from where it would be looked for, and a key is another's.
        where = {
            "llm": offer.server.address,
            "llm_model": offer.model,
            "llm_api_key": None,
            "llm_context": None,
        }
        return self._assistant.settings.model_copy(update=where)


def _missing() -> str | None:
    try:
        check_installed()
    except SettingsError as error:
        return str(error.values["command"])
    return None

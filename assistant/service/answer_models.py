"""The language models that may write the answers on the page: the one that is set; or, where none
is, one that runs on this machine, if the person chooses it.

The server stores no choice: each question says what writes its answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from assistant.llm.check_results import checked
from assistant.llm.client import check_installed
from assistant.llm.discovery import CHOSEN_PATIENCE, NONE, Offer, Server, find_offers
from assistant.llm.writer import Writer
from index.errors import SettingsError

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.settings import Settings


class AnswerModels:
    """The language models that may write for an assistant.

    Args:
        assistant: has the language model that is set.
        servers: where others are looked for; nowhere if one is set, or `none`.
    """

    def __init__(self, assistant: Assistant, servers: Sequence[Server]) -> None:
        self._assistant = assistant
        settled = assistant.writer_name is not None or assistant.settings.llm is not None
        self._servers = () if settled else tuple(servers)

    def to_dict(self) -> dict[str, Any]:
        """As plain values: the name of the model that is `set`; those that are `offered`; for each
        the result of its `check`, if it was checked; and the command that installs a package that
        is `missing` before an offered one can write."""
        offers = find_offers(self._servers)
        name = self._assistant.writer_name
        missing = None
        if offers:
            try:
                check_installed()
            except SettingsError as error:
                missing = str(error.values["command"])
        return {
            "set": name,
            "check": None if name is None else checked(self._assistant.settings),
            "offered": [
                {
                    "llm": offer.setting,
                    "name": offer.name,
                    "server": offer.server.title,
                    "check": checked(self._settings_for(offer)),
                }
                for offer in offers
            ],
            "missing": missing,
        }

    @contextmanager
    def chosen(self, llm: str | None) -> Iterator[bool | Writer]:
        """What `Assistant.for_documents` takes as `write`, inside a `with`.

        Args:
            llm: None for the model that is set, `none` to quote, or the setting of an offered one.

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
        """The settings, with the offered language model."""
        # Its address may be another than its setting stands for, and the key is not for it.
        changes = {
            "llm": f"{offer.server.address}#{offer.model}",
            "llm_api_key": None,
            "llm_context": None,
        }
        return self._assistant.settings.model_copy(update=changes)

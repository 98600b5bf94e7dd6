"""Settings: loaded once, at the edge, and handed down as arguments.

In order of precedence: arguments and flags, the environment (`FOOTNOTE_*`), the file named by
`FOOTNOTE_CONFIG` (or else `config.toml` in the user's configuration folder). A name that is not a
setting is refused wherever it stands. The only module that imports pydantic-settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from platformdirs import user_config_path, user_data_path
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableValueError

from assistant.calibration import Thresholds
from index import Index
from index.about import install_command
from index.encoder import DEFAULT_ENCODER, Encoder, load_encoder
from index.errors import EncoderError, IndexCorruptedError, SettingsError
from index.readers.ocr.recogniser import is_installed as reads_pictures
from index.store.chroma_server import ServerAddress
from index.store.writer import Progress

PREFIX = "FOOTNOTE_"

#: Names that are no settings: where the settings are, and the page's login, which only
#: `footnote chat` reads.
RESERVED = (f"{PREFIX}CONFIG", f"{PREFIX}AUTH")


#: The settings of a Chroma server as they are where there is none.
WITHOUT_SERVER: Mapping[str, Any] = {
    "chroma": None,
    "chroma_headers": {},
    "chroma_ca": None,
    "database": None,
}


class Settings(BaseSettings):
    """All settings, validated; see `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, use_attribute_docstrings=True
    )
    #: The file read by the instance being made.
    file: ClassVar[Path | None] = None

    index_dir: Path = Field(default_factory=lambda: user_data_path("footnote"))
    """Folder in which the index is kept; in your data folder by default."""
    chroma: str | None = Field(None, min_length=1)
    """Address of the Chroma server that keeps the index, http://host:port."""
    chroma_headers: Mapping[str, SecretStr] = {}
    """What is sent to that server with every request, a token say; never shown."""
    chroma_ca: Path | None = None
    """File of certificates to trust, where that server has one of its own; the system's by
    default."""
    database: SecretStr | None = None
    """Address of the PostgreSQL database that several machines share,
    postgresql://user:password@host/name; by default a file in `index_dir`."""
    encoder: str = Field(DEFAULT_ENCODER, min_length=1)
    """Name or folder of a sentence-transformers model; `all-MiniLM-L6-v2` is the one that the
    shipped one was made of."""
    encoder_prompts: Mapping[Literal["query", "document"], str] = {}
    """What the encoder wants before a query and a document, if it does not say."""
    reader: str = Field("shipped", min_length=1)
    """The reading model: `shipped`, `none`, its folder, or a sentence-transformers
    cross-encoder."""
    calibration: Path | None = None
    """File of the numbers that decide, as `footnote eval calibrate` writes it."""
    ignore: tuple[str, ...] = ()
    """Patterns, as in .gitignore, of what inside folders is not read."""
    ocr: bool = False
    """Read what stands in pictures: scanned pages, photographs of text."""
    wait: float = Field(30.0, ge=0)
    """Seconds to wait for another process that writes the index."""
    shared_terms: Path | None = None
    """Folder in which machines that answer from the same documents find what terms another has
    derived."""
    max_sentences: int = Field(4, ge=1, le=20)
    """Most sentences in a quoted answer."""
    refuse_below: float | None = Field(None, ge=0, le=1)
    """Refuse where the documents answer with a probability below this; the calibrated one by
    default."""
    answer_from: float | None = Field(None, ge=0, le=1)
    """Answer from this confidence on, the calibrated one by default; below it, and not refused,
    passages that may answer are shown."""
    llm: str | None = Field(None, min_length=1)
    """The language model that writes: `ollama:NAME` or the like, the address of an
    OpenAI-compatible server, a .gguf file; `none` for none."""
    llm_model: str | None = None
    """Which model of that server, if `llm` has none; its first by default."""
    llm_api_key: SecretStr | None = None
    """The server's key."""
    llm_context: int | None = Field(None, ge=512)
    """The model's context in tokens, where its server does not tell; else 4096."""
    llm_timeout: float = Field(30.0, gt=0)
    """Seconds of silence after which the language model is given up; four times as many before its
    first word."""
    unsupported: Literal["drop", "flag"] = "flag"
    """What becomes of written sentences that the sources neither confirm nor contradict: `flag`, of
    a language model that passed its check they are shown, marked; or `drop`. All others that
    nothing supports are left out."""
    trust_llm: bool = False
    """Let a language model read that failed its check."""
    verifier: str = Field("shipped", min_length=1)
    """What judges written sentences: `shipped`, the name or folder of a cross-encoder for natural
    language inference, or `none`: their words alone."""
    rate: str = Field("600/minute", min_length=1)
    """Requests that a key or a login may send, to each process."""
    at_once: int = Field(8, ge=1, le=1000)
    """Questions that a server answers at the same time."""
    queue: int = Field(200, ge=0)
    """Questions that may wait for that; more are sent away."""
    max_upload: int = Field(25, ge=1)
    """Megabytes of a file that is sent to a server."""
    max_pictures: int = Field(500, ge=1)
    """Pages and pictures of a file that are read on a server, where that is asked for."""
    max_documents: int = Field(50, ge=1)
    """Files that a login or a key may add."""
    max_stored: int = Field(2000, ge=1)
    """Megabytes of the files that a login or a key may add."""
    fetch: bool = False
    """Let a server fetch pages and PDFs of the public internet by address."""
    arrive_within: float = Field(300.0, gt=0)
    """Seconds in which a request has to arrive as a whole."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Refuse, before anything long, what cannot be meant together or is not installed."""
        if self.refuse_below is not None and self.answer_from is not None:
            Thresholds(self.refuse_below, self.answer_from)  # refuses those out of order
        if self.ocr and not reads_pictures():
            raise not_installed("Reading pictures", "ocr")
        if self.server is None and (self.chroma_headers or self.chroma_ca):
            raise SettingsError(
                f"{PREFIX}CHROMA_HEADERS and {PREFIX}CHROMA_CA are for a Chroma server, and none "
                f"is set. Set {PREFIX}CHROMA to its address."
            )
        if (self.chroma is None) != (self.database is None):
            raise SettingsError(
                f"{PREFIX}CHROMA and {PREFIX}DATABASE go together: machines that share an index "
                "share a Chroma server for its vectors and a PostgreSQL database for everything "
                "else. Set both, or neither to keep the index in a folder."
            )
        if self.database_address is not None:
            from index.database.database import parse_address  # it takes long to load

            parse_address(self.database_address)
        return self

    @property
    def database_address(self) -> str | None:
        """The address of the database with its password, if one is set."""
        return None if self.database is None else self.database.get_secret_value()

    @property
    def server(self) -> ServerAddress | None:
        """The Chroma server that keeps the index, if one does.

        Raises:
            SettingsError: it is no address of one.
        """
        if self.chroma is None:
            return None
        headers = {name: value.get_secret_value() for name, value in self.chroma_headers.items()}
        return ServerAddress(self.chroma, headers, self.chroma_ca)

    def open_index(
        self,
        on_wait: Callable[[str], None] | None = None,
        encoder: Callable[[str, Mapping[str, str]], Encoder] = load_encoder,
        progress: Progress | None = None,
        migrate: bool = True,
    ) -> Index:
        """The index that they name. One in a folder that was made with another encoder, or whose
        vectors are damaged or were only made in part, has them made anew from the texts that it
        keeps; one on a server has not, for others use it too.

        Args:
            on_wait: called with a sentence to show while another process uses the index.
            encoder: what loads the encoder, of its name and prompts.
            progress: called while it is made anew with (paragraphs done, paragraphs in all).
            migrate: whether its vectors are made anew where that is needed.

        Raises:
            EncoderError: the encoder cannot be loaded.
            IndexUnusableError: the index cannot be used.
        """
        index = Index(
            self.index_dir,
            encoder=self.load_encoder(encoder),
            wait=self.wait,
            on_wait=on_wait,
            chroma=self.server,
            database=self.database_address,
            shared_terms=self.shared_terms,
        )
        try:
            if migrate and self.chroma is None:
                try:
                    index.view()
                except (EncoderError, IndexCorruptedError):
                    index.migrate(progress)
        except BaseException:
            index.close()
            raise
        return index

    def load_encoder(
        self, made_by: Callable[[str, Mapping[str, str]], Encoder] = load_encoder
    ) -> Encoder:
        """The encoder that they name.

        Args:
            made_by: what loads it, of its name and prompts.

        Raises:
            EncoderError: it cannot be loaded.
        """
        return made_by(self.encoder, {str(k): v for k, v in self.encoder_prompts.items()})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        file = TomlConfigSettingsSource(settings_cls, cls.file)
        return init_settings, env_settings, file


def load_settings(**arguments: Any) -> Settings:
    """The settings in force. Arguments that are None count as not given.

    Raises:
        SettingsError: a setting is unknown or its value is not allowed; names it and where it is.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    known = set(Settings.model_fields)
    variables = {*(PREFIX + field.upper() for field in known), *RESERVED}
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in variables:
            raise SettingsError(_unknown(name, sorted(variables), "in the environment"))
    named = os.environ.get(f"{PREFIX}CONFIG")
    file = Path(named) if named else user_config_path("footnote") / "config.toml"
    if named and not is_file(file):
        raise SettingsError(
            f"{PREFIX}CONFIG names {named!r}, which is not a file that can be read."
        )
    configured = type("Configured", (Settings,), {"file": file if is_file(file) else None})
    try:
        settings = configured(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            where = "among the arguments" if name in given else f"in {file}"
            raise SettingsError(_unknown(name, sorted(known), where)) from error
        if name.startswith("chroma_headers"):  # they are secret
            raise SettingsError(
                f"The setting {name} is not allowed: it is to be JSON, a text by each name: "
                '{"Authorization": "Bearer …"}.'
            ) from None
        if is_secret(name):
            raise SettingsError(f"The setting {name} is not allowed: {first['msg']}.") from None
        raise SettingsError(
            f"The setting {name} is {first['input']!r}, which is not allowed: {first['msg']}."
        ) from error
    except UnreadableValueError as error:
        raise SettingsError(
            f"A setting in the environment cannot be read: {error}. Lists and pairs are written as "
            'JSON: ["drafts/"], {"query": "query: "}.'
        ) from error
    except (OSError, ValueError) as error:  # the file cannot be read, or is not TOML
        raise SettingsError(f"The settings file {file} cannot be read: {error}.") from error
    assert isinstance(settings, Settings)
    return settings


def not_installed(what: str, extra: str) -> SettingsError:
    """The error for a package of an extra that is not installed, with the command for it."""
    command = install_command(extra)
    told = f"{what} needs a package that is not installed. Run: {command}"
    return SettingsError(told, code="not_installed", command=command)


def is_secret(name: str) -> bool:
    """Whether what a setting is set to is never to be shown."""
    field = Settings.model_fields.get(name)
    return field is not None and "SecretStr" in str(field.annotation)


def models_folder() -> Path:
    """Where a language model's file is looked for that is given by its name alone."""
    return user_data_path("footnote") / "models"


def checks_folder() -> Path:
    """Where results of checking language models are kept, a file each."""
    return user_data_path("footnote") / "llm-checks"


def is_file(path: Path) -> bool:
    """Whether a file is there and may be looked at."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False  # its folder may not be looked into, or it is no name of a file


def _unknown(name: str, known: list[str], where: str) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else f" There are: {', '.join(sorted(known))}."
    return f"There is no setting {name}, which is given {where}.{hint}"

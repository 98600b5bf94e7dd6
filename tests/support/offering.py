"""Runs the command `footnote`, which looks for language models on other ports than the usual ones:
`python tests/support/offering.py SERVER=PORT,... ARGUMENT...`, for example `ollama=45123`."""

from __future__ import annotations

import sys
from dataclasses import replace

from helpers import PATIENCE

from assistant.cli.main import main
from assistant.llm.discovery import SERVERS

if __name__ == "__main__":
    ports = dict(pair.split("=") for pair in sys.argv.pop(1).split(",") if pair)
    main(
        [
            replace(one, port=int(ports[one.key]), patience=PATIENCE)
            for one in SERVERS
            if one.key in ports
        ]
    )

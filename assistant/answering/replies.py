"""What the assistant says where nothing is asked of the documents."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.query.kinds import Kind

REPLIES: Mapping[Kind, tuple[str, ...]] = {
    "courtesy": ("Glad to help.", "Ask anything about the documents."),
    "about": (
        "I answer questions about your documents with the sentences that answer them, and show "
        "where each stands.",
        "What the documents do not say, I do not say.",
        "Ask for a detail, or for an overview of everything or of one part: “What are the main "
        "points?”, “Summarize the section on …”.",
    ),
}

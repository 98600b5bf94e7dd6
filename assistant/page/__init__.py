"""The web page: asking on the left, the documents on the right.

`server` is a Gradio server: its queue runs and streams the questions, its login guards them. What
the browser is given lies in `static`, and nothing else is sent to it but plain values as JSON, so
that no text of a document or of a question is ever markup.
"""

from assistant.page.server import serve

__all__ = ["serve"]

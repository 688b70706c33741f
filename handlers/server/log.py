"""What a server logs of its requests: the Lambda function's lines, of all of them or of those that went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.inference.observability import Invocation, Observer

if TYPE_CHECKING:
    from handlers.inference.answers import Answer


class ErrorsOnly(Observer):
    """Writes warnings, and the requests that were answered 5xx."""

    def note_warm(self, *_: object) -> None:
        """Log none that went well."""

    def note(self, invocation: Invocation, answer: Answer) -> None:
        """Log one invocation if it is the server's fault."""
        if answer.status >= 500:
            super().note(invocation, answer)


class WarningsOnly(Observer):
    """Writes warnings, and of the requests only those that failed in a way that nobody foresaw."""

    def note_warm(self, *_: object) -> None:
        """Log none that went well."""

    def note(self, invocation: Invocation, answer: Answer) -> None:
        """Log one invocation if it is our mistake."""
        if invocation.failure is not None:
            super().note(invocation, answer)

"""Function names as Lambda's Invoke takes them: a name, a partial or a whole ARN, each with or without a qualifier.

Source: Lambda API reference, "Invoke", parameter FunctionName.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from local.types import ACCOUNT, REGION, FunctionNotFound

LATEST: Final = "$LATEST"

_NAME = re.compile(
    r"(?:(?:arn:aws:lambda:[a-z0-9-]+:)?[0-9]{12}:function:)?"
    r"(?P<name>[a-zA-Z0-9_-]{1,140})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?\Z"
)


class FunctionName(NamedTuple):
    """A function and, where one was given, a version or an alias."""

    name: str
    qualifier: str | None

    @classmethod
    def parse(cls, text: str, qualifier: str | None = None) -> FunctionName:
        """Read a name. Raises: FunctionNotFound if it is not well-formed, or says another qualifier than is given."""
        match = _NAME.match(text)
        if match is None:
            raise FunctionNotFound(f"function name: expected a name or a function's ARN, got {text[:170]!r}")
        inner = match["qualifier"]
        if inner and qualifier and inner != qualifier:
            raise FunctionNotFound(
                f"The derived qualifier {inner!r} from the function name does not match the specified {qualifier!r}"
            )
        return cls(match["name"], qualifier or inner)

    def arn(self) -> str:
        """The ARN as it was invoked, which is what the handler's context shows."""
        qualifier = f":{self.qualifier}" if self.qualifier else ""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}{qualifier}"

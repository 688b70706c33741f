"""The conditional headers of RFC 9110, section 13, as far as an alias needs them: one entity tag, or none yet."""

from __future__ import annotations

import re

from handlers.control.service import Absent, At, Expectation
from warmstart.errors import InvalidRequest, MissingPrecondition

_ENTITY_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e]*"\Z')


def expectation(if_match: str | None, if_none_match: str | None) -> Expectation:
    """Read what the caller expects to find.

    A weak tag is let through and never matches, as the strong comparison of RFC 9110 has it.
    Raises: MissingPrecondition, InvalidRequest.
    """
    match (if_match, if_none_match):
        case (None, None):
            raise MissingPrecondition(
                "expected If-Match with the entity tag that GET gave, or If-None-Match: * to create; got neither"
            )
        case (str(tag), None) if _ENTITY_TAG.match(tag):
            return At(tag)
        case (None, "*"):
            return Absent()
        case (None, str(other)):
            raise InvalidRequest(f"If-None-Match: expected * (create only), got {other[:80]!r}")
        case (str(other), None):
            raise InvalidRequest(f"If-Match: expected one entity tag in double quotes, got {other[:80]!r}")
        case _:
            raise InvalidRequest("expected either If-Match or If-None-Match, got both")

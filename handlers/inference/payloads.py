"""Bodies by reference: a request's from S3, an answer's to S3. Imported when a request first names one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from model_store.payload_locations import Locations
from model_store.payload_objects import Payload
from warmstart.errors import InvalidRequest, WarmstartError
from warmstart.protocols.coding import decode
from warmstart.protocols.wire import INPUT_LOCATION, JSON, OUTPUT_LOCATION, Request

if TYPE_CHECKING:
    from handlers.inference.answers import Answer
    from handlers.inference.settings import InferenceSettings
    from model_store.payload_locations import Location
    from model_store.payload_objects import PayloadObjects

_STAYS: Final = frozenset({"server-timing", "vary"})
"""An answer's headers that are about the answer, not about its body."""


class Exchange(NamedTuple):
    """What one request names: where its body is, where the answer's is to be put; both allowed."""

    source: Location | None
    target: Location | None
    objects: PayloadObjects
    limit_bytes: int

    def fetch(self, request: Request) -> Request:
        """Return the request as if its body had been sent. What its own headers say of the body stands.

        Raises: BodyTooLarge, MalformedBody, UnsupportedMediaType, and what `PayloadObjects` does.
        """
        if self.source is None:
            return request
        if request.body:
            raise InvalidRequest(f"{INPUT_LOCATION}: expected no body beside it, got {len(request.body)} bytes")
        body, content_type, coding, _ = self.objects.get(self.source, limit_bytes=self.limit_bytes)
        headers = dict(request.headers)
        if content_type:
            headers.setdefault("content-type", content_type)
        if coding := headers.pop("content-encoding", coding):
            body = decode(body, coding, self.limit_bytes)
        return request._replace(body=body, headers=headers)

    def deliver(self, found: Answer) -> Answer:
        """Put an answer's body where the request says, and return one that says where it is.

        Raises: what `PayloadObjects` does, with the model that answered.
        """
        if self.target is None:
            return found
        about = {name: value for name, value in found.headers if name not in _STAYS}
        coding = about.pop("content-encoding", "")
        document = {
            "location": str(self.target),
            "content_type": found.content_type,
            "size_bytes": len(found.body),
            **({"headers": about} if about else {}),
        }
        try:
            self.objects.put(self.target, Payload(found.body, found.content_type, coding, tuple(about.items())))
        except WarmstartError as error:
            error.model = found.model
            raise
        headers = tuple(header for header in found.headers if header[0] in _STAYS)
        return found._replace(body=orjson.dumps(document), content_type=JSON, headers=headers)


class Payloads(NamedTuple):
    """Which references a stage allows, and what reads and writes them. `limit_bytes` is of a request's body."""

    locations: Locations
    objects: PayloadObjects
    limit_bytes: int

    def exchange(self, request: Request) -> Exchange:
        """Read the references of a request, before anything is done. Raises: InvalidRequest."""
        source, target = (self._location(request, header) for header in (INPUT_LOCATION, OUTPUT_LOCATION))
        return Exchange(source, target, self.objects, self.limit_bytes)

    def _location(self, request: Request, header: str) -> Location | None:
        text = request.headers.get(header)
        return None if text is None else self.locations.find(text, header=header)


def build_payloads(settings: InferenceSettings, objects: PayloadObjects, *, limit_bytes: int) -> Payloads:
    """Wire them to what the stage decided."""
    locations = Locations(settings.payload_locations, settings.region, settings.store_endpoint)
    return Payloads(locations, objects, limit_bytes)

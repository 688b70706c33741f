"""Bodies by reference: the seam between the data plane and where they lie, and its twin in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from warmstart.errors import BodyTooLarge, ObjectNotFound

if TYPE_CHECKING:
    from model_store.payload_locations import Location


class Payload(NamedTuple):
    """A body and how to read it. `metadata` goes with the object: names in lower case, values in ASCII."""

    body: bytes
    content_type: str = ""
    content_encoding: str = ""
    metadata: tuple[tuple[str, str], ...] = ()


class PayloadObjects(Protocol):
    """Reads and writes objects whole.

    Both raise ObjectNotFound, InvalidRequest, StoreDenied and StoreUnavailable.
    """

    def get(self, location: Location, *, limit_bytes: int) -> Payload:
        """Read an object; its metadata is left there. Raises: BodyTooLarge before it is read, if it is above."""
        ...

    def put(self, location: Location, payload: Payload) -> None:
        """Write an object, in the place of what is there."""
        ...


class MemoryPayloads:
    """Objects in memory, by bucket and key."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Payload] = {}

    def get(self, location: Location, *, limit_bytes: int) -> Payload:
        """Read an object."""
        if (found := self.objects.get((location.bucket, location.key))) is None:
            raise not_found(location)
        check_size(location, len(found.body), limit_bytes)
        return found._replace(metadata=())

    def put(self, location: Location, payload: Payload) -> None:
        """Write an object."""
        self.objects[location.bucket, location.key] = payload


def not_found(location: Location) -> ObjectNotFound:
    """Return the error for an object that is not there."""
    return ObjectNotFound(f"{location}: S3 holds nothing there")


def check_size(location: Location, size_bytes: int, limit_bytes: int) -> None:
    """Check that a body fits the function's memory, or the server's setting. Raises: BodyTooLarge."""
    if size_bytes > limit_bytes:
        raise BodyTooLarge(
            f"{location}: expected at most {limit_bytes} bytes, got {size_bytes}; "
            "send fewer rows per request, or raise the limit: the function's memory, the server's --max-body-mb"
        )

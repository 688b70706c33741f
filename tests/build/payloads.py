"""Bodies by reference: addresses at which an object may be, and their errors, as `docs/large-payloads.md` has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from model_store.payload_objects import Payload
from tests.build.inference import Answered, World
from warmstart.protocols.wire import INPUT_LOCATION, OUTPUT_LOCATION

ALLOWED = "s3://bodies/in/,s3://bodies/out/"
SIGNATURE = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20260131%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20260131T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=0a1b2c"
)
"""A presigned URL's query."""
INFER = "/v2/models/doubler/infer"
BODY = b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}'
HOST = "https://bodies.s3.us-east-1.amazonaws.com"


class Row(NamedTuple):
    """A request's location and what is answered. `header` is the other one than where a body comes from."""

    what: str
    location: str
    status: int
    message: str
    body: str | None = None
    header: str = INPUT_LOCATION


BELOW = "expected an object below s3://bodies/in/, s3://bodies/out/; got"
KEY = "expected a key of 1 to 1024 bytes, its parts neither empty nor '.' nor '..'; got"

ROWS = [
    Row("another bucket", "s3://others/in/a.json", 400, f"{INPUT_LOCATION}: {BELOW} 's3://others/in/a.json'"),
    Row("another prefix", "s3://bodies/a.json", 400, f"{INPUT_LOCATION}: {BELOW} 's3://bodies/a.json'"),
    Row("a way out of the prefix", "s3://bodies/in/../a.json", 400, f"{INPUT_LOCATION}: {KEY} 'in/../a.json'"),
    Row(
        "another host",
        f"https://example.org/in/a.json?{SIGNATURE}",
        400,
        f"{INPUT_LOCATION}: {BELOW} 'https://example.org/in/a.json'",
    ),
    Row(
        "a URL that is not signed",
        f"{HOST}/in/a.json",
        400,
        f"{INPUT_LOCATION}: expected a URL presigned by Signature Version 4, got another query; "
        "with boto3: Config(signature_version='s3v4')",
    ),
    Row(
        "a path that S3 does not sign like this",
        f"{HOST}/in/%61.json?{SIGNATURE}",
        400,
        f"{INPUT_LOCATION}: expected a path percent-encoded as S3 signs it, got 'in/%61.json'",
    ),
    Row(
        "more than a signature in the query",
        f"{HOST}/in/a.json?{SIGNATURE}&acl=",
        400,
        f"{INPUT_LOCATION}: expected no query parameters beside those of a signature, got acl",
    ),
    Row(
        "no location",
        "ftp://bodies/in/a",
        400,
        f"{INPUT_LOCATION}: expected s3://bucket/key or a presigned URL of S3, got 'ftp://bodies/in/a'",
    ),
    Row("an object that is not there", "s3://bodies/in/none", 404, "s3://bodies/in/none: S3 holds nothing there"),
    Row(
        "an object above the limit",
        "s3://bodies/in/large",
        413,
        "s3://bodies/in/large: expected at most 16777216 bytes, got 16777217; "
        "send fewer rows per request, or raise the limit: the function's memory, the server's --max-body-mb",
    ),
    Row(
        "a body beside it",
        "s3://bodies/in/a.json",
        400,
        f"{INPUT_LOCATION}: expected no body beside it, got 2 bytes",
        body="{}",
    ),
    Row(
        "an answer to another prefix",
        "s3://bodies/a.json",
        400,
        f"{OUTPUT_LOCATION}: {BELOW} 's3://bodies/a.json'",
        body=BODY.decode(),
        header=OUTPUT_LOCATION,
    ),
]


def world(tmp: Path, allowed: str = ALLOWED) -> World:
    """A data plane of 128 MB with `doubler`, and objects below `s3://bodies/in/`."""
    built = World(tmp, WARMSTART_PAYLOAD_LOCATIONS=allowed, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="128")
    built.publish_doubler()
    built.payloads.objects["bodies", "in/a.json"] = Payload(BODY, "application/json")
    built.payloads.objects["bodies", "in/large"] = Payload(bytes(16 * 1024 * 1024 + 1), "application/json")
    return built


def send(world: World, headers: dict[str, str], body: str | None = None, *, path: str = INFER) -> Answered:
    """Send a request with these headers alone."""
    return world.ask("POST", path, body, headers=headers)


def refused(world: World, row: Row) -> tuple[int, Any]:
    """Send a row; return status and body."""
    answered = send(world, {row.header: row.location}, row.body)
    return answered.status, answered.json


def table() -> str:
    """Write the rows as the documentation shows them."""
    lines = ["| request | status | message |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {row.what} | {row.status} | {row.message} |" for row in ROWS)])


__all__ = ["ALLOWED", "BODY", "HOST", "INFER", "ROWS", "SIGNATURE", "Row", "refused", "send", "table", "world"]

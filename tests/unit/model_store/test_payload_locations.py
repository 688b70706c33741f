"""Which words of a caller are a place on S3, and that no others ever become an address."""

from __future__ import annotations

import pytest

from model_store.payload_locations import Locations, Prefix, parse_prefix
from tests.build.payloads import SIGNATURE
from warmstart.errors import InvalidRequest, InvalidSetting

HEADER = "x-warmstart-input-location"
ALLOWED = (Prefix("bodies", "in/"), Prefix("dotted.bodies", ""))
AWS = Locations(ALLOWED, "eu-central-1")
ELSEWHERE = Locations(ALLOWED, "eu-central-1", "http://127.0.0.1:5000")
VIRTUAL = "https://bodies.s3.eu-central-1.amazonaws.com"


def find(text: str, locations: Locations = AWS) -> tuple[str, int, str, str]:
    """Host, port, path and query of what would be asked."""
    found = locations.find(text, header=HEADER)
    return found.endpoint.host, found.endpoint.port, found.path, found.query


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("s3://bodies/in/a.json", "bodies.s3.eu-central-1.amazonaws.com", "/in/a.json"),
        ("s3://bodies/in/a b/é%2e?x#y", "bodies.s3.eu-central-1.amazonaws.com", "/in/a%20b/%C3%A9%252e%3Fx%23y"),
        ("s3://dotted.bodies/a", "s3.eu-central-1.amazonaws.com", "/dotted.bodies/a"),
    ],
)
def test_a_name_is_an_object_at_its_bucket(text: str, host: str, path: str) -> None:
    assert find(text) == (host, 443, path, "")


@pytest.mark.parametrize(
    ("address", "host", "path"),
    [
        (f"{VIRTUAL}/in/a.json", "bodies.s3.eu-central-1.amazonaws.com", "/in/a.json"),
        (f"{VIRTUAL}/in/a%20b", "bodies.s3.eu-central-1.amazonaws.com", "/in/a%20b"),
        ("https://s3.eu-central-1.amazonaws.com/bodies/in/a", "s3.eu-central-1.amazonaws.com", "/bodies/in/a"),
        ("https://bodies.s3.amazonaws.com/in/a", "bodies.s3.amazonaws.com", "/in/a"),
        ("https://s3.amazonaws.com/dotted.bodies/a", "s3.amazonaws.com", "/dotted.bodies/a"),
    ],
)
def test_a_presigned_url_is_asked_where_it_was_signed_for_with_its_own_query(
    address: str, host: str, path: str
) -> None:
    assert find(f"{address}?{SIGNATURE}") == (host, 443, path, SIGNATURE)


def test_another_partition_has_addresses_of_its_own() -> None:
    china = Locations(ALLOWED, "cn-north-1")

    assert find("s3://bodies/in/a", china)[0] == "bodies.s3.cn-north-1.amazonaws.com.cn"
    assert find(f"https://s3.cn-north-1.amazonaws.com.cn/bodies/in/a?{SIGNATURE}", china)[2] == "/bodies/in/a"
    for host in ("bodies.s3.amazonaws.com", "bodies.s3.cn-north-1.amazonaws.com", "bodies.s3.amazonaws.com.cn"):
        with pytest.raises(InvalidRequest):
            find(f"https://{host}/in/a?{SIGNATURE}", china)


def test_where_s3_has_another_address_that_alone_is_asked() -> None:
    assert find("s3://bodies/in/a", ELSEWHERE) == ("127.0.0.1", 5000, "/bodies/in/a", "")
    assert find(f"http://127.0.0.1:5000/bodies/in/a?{SIGNATURE}", ELSEWHERE)[:2] == ("127.0.0.1", 5000)
    for address in (f"{VIRTUAL}/in/a", "http://127.0.0.1:5001/bodies/in/a", "https://127.0.0.1:5000/bodies/in/a"):
        with pytest.raises(InvalidRequest):
            find(f"{address}?{SIGNATURE}", ELSEWHERE)


HOSTILE = [
    # Other hosts: this machine's, the metadata service, one that only looks like S3.
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "https://169.254.169.254/in/a",
    "https://[::ffff:169.254.169.254]/in/a",
    "http://localhost/in/a",
    "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
    "https://bodies.s3.eu-central-1.amazonaws.com.example.org/in/a",
    "https://bodies.s3.eu-central-1.amazonaws.comin/a",
    "https://example.org/bodies.s3.eu-central-1.amazonaws.com/in/a",
    "https://bodies.s3.us-west-2.amazonaws.com/in/a",
    "https://bodies.s3-website.eu-central-1.amazonaws.com/in/a",
    # The allowed host as a user, a password, a port or a fragment of another.
    "https://bodies.s3.eu-central-1.amazonaws.com@example.org/in/a",
    "https://bodies.s3.eu-central-1.amazonaws.com:443@example.org/in/a",
    "https://user:password@bodies.s3.eu-central-1.amazonaws.com/in/a",
    "https://example.org#bodies.s3.eu-central-1.amazonaws.com/in/a",
    "https://example.org\\@bodies.s3.eu-central-1.amazonaws.com/in/a",
    "https://bodies.s3.eu-central-1.amazonaws.com\\.example.org/in/a",
    # Other ports and schemes, and other ways to write a name.
    "https://bodies.s3.eu-central-1.amazonaws.com:8443/in/a",
    "https://bodies.s3.eu-central-1.amazonaws.com:443/in/a",
    "http://bodies.s3.eu-central-1.amazonaws.com/in/a",
    "https://BODIES.s3.eu-central-1.amazonaws.com/in/a",
    "https://bodies.s3.eu-central-1.amazonaws.com./in/a",
    "https://%62odies.s3.eu-central-1.amazonaws.com/in/a",
    "https:bodies.s3.eu-central-1.amazonaws.com/in/a",
    "//bodies.s3.eu-central-1.amazonaws.com/in/a",
    " https://bodies.s3.eu-central-1.amazonaws.com/in/a",
    "file:///etc/passwd",
    "gopher://169.254.169.254/",
    # Buckets whose names begin or end as an allowed one's.
    "https://bodies-of-others.s3.eu-central-1.amazonaws.com/in/a",
    "https://other-bodies.s3.eu-central-1.amazonaws.com/in/a",
    "https://s3.eu-central-1.amazonaws.com/bodies-of-others/in/a",
    "https://s3.eu-central-1.amazonaws.com/others/bodies/in/a",
    # Ways out of the prefix.
    f"{VIRTUAL}/a",
    f"{VIRTUAL}/in",
    f"{VIRTUAL}/inside/a",
    f"{VIRTUAL}//in/a",
    f"{VIRTUAL}/in/",
    f"{VIRTUAL}/in//a",
    f"{VIRTUAL}/in/../secret",
    f"{VIRTUAL}/in/./a",
    f"{VIRTUAL}/in/%2e%2e/secret",
    f"{VIRTUAL}/in/..%2Fsecret",
    f"{VIRTUAL}/in%2F..%2Fsecret",
    f"{VIRTUAL}/in/%2E%2E%2Fsecret",
    f"{VIRTUAL}/in/a%00b",
    f"{VIRTUAL}/in/a%0d%0aHost:%20example.org",
    f"{VIRTUAL}/in/a\r\nHost: example.org",
    f"{VIRTUAL}/in/a+b",
    f"{VIRTUAL}/in/%c3%a9",
    f"{VIRTUAL}/in/%FF",
    f"{VIRTUAL}/in/é",
    f"{VIRTUAL}/in/\ud800",
    f"{VIRTUAL}/in/a#",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_a_url_that_could_be_read_in_another_way_is_refused(address: str) -> None:
    with pytest.raises(InvalidRequest):
        find(f"{address}?{SIGNATURE}")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "AWSAccessKeyId=AKID&Signature=0a1b&Expires=1769860800",
        SIGNATURE.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        SIGNATURE.replace("&X-Amz-Signature=0a1b2c", ""),
        f"{SIGNATURE}&X-Amz-Signature=ffff",
        f"{SIGNATURE}&x-amz-signature=ffff",
        f"{SIGNATURE}&acl",
        f"{SIGNATURE}&uploads=",
        f"{SIGNATURE}&partNumber=1&uploadId=a",
        f"{SIGNATURE}&response-content-type=text/html",
        f"{SIGNATURE} HTTP/1.1\r\nHost: example.org",
        f"{SIGNATURE}#",
        f"{SIGNATURE}?x-id=GetObject",
        f"{SIGNATURE}&x-id=é",
    ],
)
def test_a_query_that_is_more_or_less_than_a_signature_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        find(f"{VIRTUAL}/in/a?{query}")


def test_a_query_may_say_what_sdks_add() -> None:
    query = f"{SIGNATURE}&X-Amz-Security-Token=a%2Fb&x-id=GetObject&versionId=v1"

    assert find(f"{VIRTUAL}/in/a?{query}")[3] == query


@pytest.mark.parametrize(
    "text",
    [
        "s3://bodies/",
        "s3://bodies/in/",
        "s3://bodies/in/../x",
        "s3://bodies/in/a\n",
        f"s3://bodies/in/{'k' * 1022}",
        "s3://bodies/in/\ud800",
        "s3://bodies-of-others/in/a",
        "s3://user@bodies/in/a",
        "s3://bodies:443/in/a",
        "s3:///in/a",
        "S3://bodies/in/a",
        "",
    ],
)
def test_a_name_of_no_object_below_an_allowed_prefix_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        find(text)


def test_without_prefixes_nothing_is_read() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Locations((), "eu-central-1").find("s3://bodies/in/a", header=HEADER)

    assert caught.value.message == (
        f"{HEADER}: expected a body in the request: this stage takes no references; "
        "name prefixes in its setting payload_locations"
    )


def test_a_location_never_shows_its_signature() -> None:
    found = AWS.find(f"{VIRTUAL}/in/a?{SIGNATURE}", header=HEADER)

    assert (str(found), repr(found)) == ("s3://bodies/in/a", "s3://bodies/in/a")


def test_a_refusal_never_shows_a_signature() -> None:
    with pytest.raises(InvalidRequest) as caught:
        find(f"{VIRTUAL}/a?{SIGNATURE}")

    assert "X-Amz" not in caught.value.message


def test_a_prefix_ends_with_a_slash() -> None:
    assert parse_prefix("s3://bodies/in/day=1/", name="payload_locations") == ("bodies", "in/day=1/")
    for text in ("s3://bodies", "s3://bodies/in", "s3://bodies/../", "s3://bodies/*/", "bodies/in/", ""):
        with pytest.raises(InvalidSetting, match="payload_locations: expected s3://bucket/prefix/"):
            parse_prefix(text, name="payload_locations")

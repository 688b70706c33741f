"""Where a bucket is: AWS's own address for it, in each partition, or another one."""

from __future__ import annotations

from typing import NamedTuple

from warmstart.errors import InvalidSetting

_SUFFIXES = {
    "cn": "amazonaws.com.cn",
    "eusc": "amazonaws.eu",
    "us-iso": "c2s.ic.gov",
    "us-isob": "sc2s.sgov.gov",
    "eu-isoe": "cloud.adc-e.uk",
    "us-isof": "csp.hci.ic.gov",
}
"""The domains of AWS's other partitions, by what their regions' names begin with."""


def domain_of(region: str) -> str:
    """Return the domain of the partition that a region is in."""
    partitions = (domain for start, domain in _SUFFIXES.items() if region.startswith(f"{start}-"))
    return next(partitions, "amazonaws.com")


class Endpoint(NamedTuple):
    """Where a bucket is: `prefix` is what stands before a key in the path, percent-encoded."""

    tls: bool
    host: str
    port: int
    prefix: str

    @classmethod
    def of(cls, bucket: str, region: str, url: str | None = None) -> Endpoint:
        """AWS's own endpoint of a bucket, or its place under another URL (path style). Raises: InvalidSetting."""
        if url is None:
            suffix = domain_of(region)
            if "." in bucket:  # the wildcard in S3's certificate covers one label
                return cls(True, f"s3.{region}.{suffix}", 443, f"/{bucket}/")
            return cls(True, f"{bucket}.s3.{region}.{suffix}", 443, "/")
        scheme, separator, rest = url.partition("://")
        authority, _, path = rest.partition("/")
        host, _, port = authority.partition(":")
        if scheme not in ("http", "https") or not separator or not host or not (port or "0").isdecimal():
            raise InvalidSetting(
                f"store endpoint: expected http[s]://host[:port], got {url!r}", name="AWS_ENDPOINT_URL_S3"
            )
        prefix = f"/{path.strip('/')}/{bucket}/" if path.strip("/") else f"/{bucket}/"
        return cls(scheme == "https", host, int(port) if port else 443 if scheme == "https" else 80, prefix)

    @property
    def bucket_path(self) -> str:
        """Path of the bucket itself."""
        return self.prefix if self.prefix == "/" else self.prefix.rstrip("/")

    @property
    def authority(self) -> str:
        """The Host header: with the port unless it is the scheme's own."""
        return self.host if self.port == (443 if self.tls else 80) else f"{self.host}:{self.port}"

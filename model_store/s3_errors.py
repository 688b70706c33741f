"""What S3 and its SDK say, as errors of ours: the one place where they are translated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore import exceptions as foreign

from warmstart.errors import ObjectNotFound, PreconditionFailed, StoreDenied, StoreUnavailable, WarmstartError

_DENIED = ("AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "403", "401")
_NO_CREDENTIALS = (
    foreign.NoCredentialsError,
    foreign.PartialCredentialsError,
    foreign.CredentialRetrievalError,
    foreign.TokenRetrievalError,
    foreign.UnauthorizedSSOTokenError,
    foreign.SSOTokenLoadError,
    foreign.ProfileNotFound,
)


class Contended(Exception):
    """S3 saw another write of this key at the same time and decided for neither: to be tried again."""


class NotModified(Exception):
    """The object still has the entity tag that the caller knows."""


class UploadGone(Exception):
    """An upload in parts ended without us: somebody completed it, or a lifecycle rule removed it."""


class RefusedAfterRetry(Exception):
    """A condition failed, but an earlier attempt of the same request may have been carried out."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@contextmanager
def translated(key: str) -> Iterator[None]:
    """Turn the SDK's errors into ours."""
    try:
        yield
    except foreign.ClientError as error:
        raise _of_answer(key, error) from error
    except _NO_CREDENTIALS as error:
        raise StoreDenied(f"{key}: no usable AWS credentials: {error}") from error
    except (foreign.BotoCoreError, Boto3Error) as error:  # a transfer that is given up raises a class of boto3's own
        raise StoreUnavailable(f"{key}: the store is not reachable: {error}") from error


def _of_answer(
    key: str, error: foreign.ClientError
) -> WarmstartError | Contended | NotModified | UploadGone | RefusedAfterRetry:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    metadata = error.response["ResponseMetadata"]
    match code:
        case "NoSuchBucket":
            return StoreUnavailable(f"{key}: there is no such bucket: is the stage deployed, and in this region?")
        case "NoSuchKey" | "404":
            return ObjectNotFound(f"{key}: the store holds nothing under this key")
        case "NoSuchUpload":
            return UploadGone(key)
        case "NotModified" | "304":
            return NotModified(key)
        case "ConditionalRequestConflict":
            return Contended(key)
        case "PreconditionFailed" | "412":
            refusal = f"{key}: the object is not in the state that the write expected"
            return RefusedAfterRetry(refusal) if metadata.get("RetryAttempts") else PreconditionFailed(refusal)
    if code in _DENIED or metadata.get("HTTPStatusCode") in (401, 403):
        return StoreDenied(f"{key}: the store refused: {code} {message}")
    return StoreUnavailable(f"{key}: the store answered {code} {message}")

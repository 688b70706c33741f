"""AWS Signature Version 4 of requests to API Gateway, by botocore: the one part of the client that needs a package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from warmstart.errors import InvalidSetting, Unreachable

if TYPE_CHECKING:
    from botocore.session import Session

    from warmstart.client.connection import Address

SERVICE: Final = "execute-api"


class Signer:
    """Signs with the credentials of botocore's default session, refreshed as they expire."""

    def __init__(self, address: Address) -> None:
        """Raises: Unreachable if botocore is missing; InvalidSetting without credentials, or without a region."""
        try:
            from botocore.exceptions import BotoCoreError
            from botocore.session import Session
        except ImportError as error:
            raise Unreachable(f"iam=True needs the package botocore ({error}); pip install botocore") from error
        session = Session()
        self._address = address
        try:
            self._region = _region(address.host, session)
            credentials = session.get_credentials()
        except BotoCoreError as error:
            raise _no_credentials(str(error)) from error
        if credentials is None:
            raise _no_credentials("found none")
        self._credentials = credentials

    def sign(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> dict[str, str]:
        """Return the headers with those of the signature; it holds for five minutes.

        Raises: InvalidSetting if the credentials cannot be had, or renewed, any more.
        """
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            credentials = self._credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            raise _no_credentials(str(error)) from error
        if not f"{credentials.access_key}{credentials.token}".isprintable():  # http.client would repeat them
            raise _no_credentials("got some with a line's end in them")
        request = AWSRequest(method=method, url=self._address.url(path), headers=dict(headers), data=body or b"")
        SigV4Auth(credentials, SERVICE, self._region).add_auth(request)
        return dict(request.headers.items())


def _no_credentials(found: str) -> InvalidSetting:
    return InvalidSetting(
        f"iam: expected AWS credentials, {found}; set AWS_PROFILE, or log in as for AWS's command line", name="iam"
    )


def _region(host: str, session: Session) -> str:
    """Read the region from `{id}.execute-api.{region}.amazonaws.com`, else from the session. Raises: InvalidSetting."""
    labels = host.split(".")
    if SERVICE in labels[:-1]:
        return labels[labels.index(SERVICE) + 1]
    region = session.get_config_variable("region")
    if not region:
        raise InvalidSetting(
            f"iam: expected a region in the endpoint's host or in AWS_DEFAULT_REGION, got neither; host: {host}",
            name="iam",
        )
    return str(region)

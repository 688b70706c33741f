"""A function that starts from a snapshot: credentials and connections are of the time before it, and made anew.

Nothing else that we keep is bound to the moment: request ids are Lambda's, chance comes from the system each time,
aliases are trusted by wall time. Source: Lambda developer guide, "Implement code before or after Lambda function
snapshots" (the package snapshot_restore_py, which is part of Lambda's runtime).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from model_store.credentials import ContainerCredentials

if TYPE_CHECKING:
    from handlers.inference.settings import CredentialsAddress
    from model_store.s3_reader import S3Reader
    from model_store.sigv4 import Credentials


def fresh_credentials(address: CredentialsAddress) -> ContainerCredentials:
    """Return credentials that are asked for when they are needed."""
    return ContainerCredentials(address.url, address.token)


def forget_when_restored(reader: S3Reader, credentials: Callable[[], Credentials]) -> None:
    """Have connections closed before a snapshot is taken, and after it the credentials forgotten as well."""
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(reader.close)
    register_after_restore(reader.close)
    if isinstance(credentials, ContainerCredentials):
        register_after_restore(credentials.forget)

"""`warmstart keys`: make a key to sign with, and show the public half of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.options import Json
from cli.render import Output, escape
from cli.shell import Shell, shell
from cli.stage import REGION_VARIABLE
from warmstart.errors import InvalidKey, Unsigned

if TYPE_CHECKING:
    from model_store.gate.steps import Target
    from model_store.signing.public_key import PublicKey
    from model_store.signing.sign import Signer

SIGNING_KEY = "WARMSTART_SIGNING_KEY"
PASSPHRASE = "WARMSTART_SIGNING_KEY_PASSPHRASE"  # noqa: S105 - the variable's name


def command(
    context: typer.Context,
    action: Annotated[
        Literal["new", "show"],
        typer.Argument(metavar="ACTION", help="new: make an Ed25519 key. show: print the public half."),
    ],
    key: Annotated[str, typer.Argument(metavar="KEY", help="A PEM file; to show also awskms:ID.")],
    encrypt: Annotated[bool, typer.Option("--encrypt", help="With new: ask for a passphrase, and encrypt it.")] = False,
    as_json: Json = False,
) -> None:
    """Make a key to sign versions with, or show the public half of one: what a stage's settings hold."""
    given, output = shell(context), Output.standard(as_json=as_json)
    if action == "new":
        from model_store.signing.sign import new_key

        public = new_key(Path(key), passphrase=_new_passphrase(given, key) if encrypt else "")
    else:
        public = signer_named(given, key).public_key
    _show(output, public, as_json=as_json)


def signer_named(given: Shell, key: str) -> Signer:
    """Find a key to sign with, asking for its passphrase if it has one. Raises: InvalidKey, Unreachable."""
    from model_store.signing.sign import signer_for

    def passphrase() -> str:
        known = given.environ.get(PASSPHRASE)
        return known if known is not None else str(typer.prompt(f"passphrase of {key}", hide_input=True, err=True))

    return signer_for(key, passphrase=passphrase, region=given.environ.get(REGION_VARIABLE))


def check_signer(signer: Signer | None, target: Target) -> None:
    """Refuse what the stage would refuse to serve, before `live` points at it. Raises: Unsigned, InvalidKey."""
    if not target.signed_by or (signer is not None and signer.public_key.key_id in target.signed_by):
        return
    expected = " or ".join(f"key {key_id[:16]}…" for key_id in target.signed_by)
    if signer is None:
        raise Unsigned(f"this stage serves what {expected} signed, and nothing else: publish with --key")
    raise InvalidKey(
        f"this stage serves what {expected} signed, got key {signer.public_key.key_id[:16]}…; publish with one of "
        "those, or add this one to the stage's signing_public_keys"
    )


def _new_passphrase(given: Shell, key: str) -> str:
    if (known := given.environ.get(PASSPHRASE)) is not None:
        return known
    asked: str = typer.prompt(f"passphrase of {key}", hide_input=True, confirmation_prompt=True, err=True)
    return asked


def _show(output: Output, public: PublicKey, *, as_json: bool) -> None:
    if as_json:
        output.document({"key_id": public.key_id, "algorithm": public.algorithm, "public_key": public.text})
        return
    output.line(f"{public.algorithm}, id {public.key_id[:16]}…; in signing_public_keys of a stage:")
    output.line(escape(public.text))

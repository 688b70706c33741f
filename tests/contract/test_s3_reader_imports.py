"""What the data plane's client costs a cold start, counted in modules; and TLS, in a process of its own."""

from __future__ import annotations

import datetime
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.build.stores import MIB
from tests.build.wire import Request, Server, http

ROOT = Path(__file__).parents[2]

IMPORTED = """
import sys
import awslambdaric.bootstrap
before = set(sys.modules)
import model_store.registry_reader, model_store.s3_reader, model_store.integrity
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""

ON_A_THREAD = """
import sys, threading
from pathlib import Path
from model_store.integrity import sha256_of
from model_store.registry_reader import RegistryReader
from model_store.s3_reader import S3Reader
from model_store.sigv4 import Credentials
reader = S3Reader("store", region="us-east-1", credentials=lambda: Credentials("a", "b"), endpoint_url=sys.argv[1])
errors, path = [], Path(sys.argv[2])
def fetch():
    try:
        reader.get("key")
        reader.download("key", path, size_bytes=20 * 1024 * 1024)
        sha256_of(path)
    except Exception as error:
        errors.append(error)
    reader.close()
before = set(sys.modules)
thread = threading.Thread(target=fetch)
thread.start()
thread.join()
print(*(set(sys.modules) - before), *errors)
"""


def run(code: str, *arguments: str, **environ: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def answer(request: Request) -> bytes:
    """Serve 20 MiB of zeros, in ranges where asked."""
    if (wanted := request.headers.get("range")) is None:
        return http(200, b"body")
    first, last = (int(number) for number in wanted.removeprefix("bytes=").split("-"))
    return http(206, bytes(last - first + 1), content_range=f"bytes {first}-{last}/{20 * MIB}")


def test_the_read_half_imports_sockets_digests_and_little_else() -> None:
    added = set(run(IMPORTED).split())

    allowed = {
        *("model_store", "warmstart"),
        *("socket", "_socket", "select", "selectors", "array", "errno"),
        *("hashlib", "_hashlib", "_blake2", "_sha2", "hmac", "math"),
        *("typing", "_typing", "enum", "types", "operator", "_operator"),
    }
    assert added - allowed == set()


def test_a_fetching_thread_imports_nothing(tmp_path: Path) -> None:
    with Server(answer) as server:
        assert run(ON_A_THREAD, server.url, str(tmp_path / "file")) == ""

    assert len(server.requests) == 6


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that signs itself, and a server's context with it."""
    folder = tmp_path_factory.mktemp("tls")
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return pem, context


def test_a_fetching_thread_imports_nothing_over_tls(tmp_path: Path, certificate: tuple[Path, ssl.SSLContext]) -> None:
    trusted, context = certificate
    with Server(answer, tls=context) as server:
        assert run(ON_A_THREAD, server.url, str(tmp_path / "file"), SSL_CERT_FILE=str(trusted)) == ""

    assert (tmp_path / "file").read_bytes() == bytes(20 * MIB)


def test_a_certificate_that_nobody_trusts_is_refused(tmp_path: Path, certificate: tuple[Path, ssl.SSLContext]) -> None:
    with Server(answer, tls=certificate[1]) as server:
        said = run(ON_A_THREAD, server.url, str(tmp_path / "file"))

    assert "CERTIFICATE_VERIFY_FAILED" in said
    assert server.requests == []


def test_a_certificate_of_another_host_is_refused(tmp_path: Path, certificate: tuple[Path, ssl.SSLContext]) -> None:
    trusted, context = certificate
    with Server(answer, tls=context) as server:
        url = server.url.replace("localhost", "127.0.0.1")
        said = run(ON_A_THREAD, url, str(tmp_path / "file"), SSL_CERT_FILE=str(trusted))

    assert "CERTIFICATE_VERIFY_FAILED" in said
    assert server.requests == []

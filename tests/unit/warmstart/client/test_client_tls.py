"""The client over TLS, with a certificate that was made for the test."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.build.http_answers import Given, Sent, serving
from warmstart import Client
from warmstart.errors import Unreachable


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a key and its own certificate for `localhost`."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def server(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def hangs_up_first(sent: Sent) -> Given:
    return Given(body=sent.body, hangs_up=sent.body == b"[1]")


def test_a_trusted_endpoint_answers_and_a_closed_connection_is_replaced(
    certificate: Path, server: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    with serving(hangs_up_first, tls=server) as endpoint, Client(endpoint.url, attempts=1) as client:
        assert [client.predict("m", [number]).body for number in (1, 2, 3)] == [[1], [2], [3]]

    ports = [sent.client_port for sent in endpoint.sent]
    assert ports[0] != ports[1] == ports[2]


def test_an_endpoint_that_nobody_vouches_for_is_sent_nothing(server: ssl.SSLContext) -> None:
    waited: list[float] = []
    with (
        serving(hangs_up_first, tls=server) as endpoint,
        Client(endpoint.url, sleep=waited.append) as client,
        pytest.raises(Unreachable, match="no answer: SSLCertVerificationError"),
    ):
        client.predict("m", [1])

    assert (endpoint.sent, waited) == ([], [])

"""Use a layer as a function would, in a process that has nothing else: `python -I -S -B probe.py KIND FOLDER...`.

Runs alone, under the target's Python. FOLDERs are put on the path in their order. Prints the versions that it met
as JSON; fails if something does not work, or a module came from anywhere but the folders and the standard library.
"""

import base64
import importlib
import importlib.metadata
import io
import json
import pkgutil
import sys
import sysconfig
from types import SimpleNamespace
from typing import Any

MODEL = base64.b64decode(
    "CAg61wEKEQoBeAoBdxIBeiIGTWF0TXVsCjAKAXoSBWxhYmVsIgZBcmdNYXgqCwoEYXhpcxgBoAECKg8KCGtlZXBkaW1zGACgAQIKFAoBehIGc2Nv"
    "cmVzIgdTb2Z0bWF4EgVwcm9iZSojCAIIAxABIhgAAIA/AAAAAAAAAAAAAAAAAACAPwAAAEBCAXdaFwoBeBISChAIARIMCgYSBHJvd3MKAggCYhcK"
    "BWxhYmVsEg4KDAgHEggKBhIEcm93c2IcCgZzY29yZXMSEgoQCAESDAoGEgRyb3dzCgIIA0IECgAQEQ=="
)
"""ONNX: z = x · [[1, 0, 0], [0, 1, 2]]; label = argmax z; scores = softmax z."""


def inference() -> None:
    """Import what the inference function imports, and infer."""
    import numpy as np
    import onnxruntime
    import orjson

    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    label, scores = session.run(None, {"x": np.array([[1, 0], [0, 1]], dtype=np.float32)})
    # softmax of (1, 0, 0) and (0, 1, 2), worked out by hand
    expected = [[0.576117, 0.211942, 0.211942], [0.090031, 0.244728, 0.665241]]
    _expect(orjson.dumps(label, option=orjson.OPT_SERIALIZE_NUMPY) == b"[0,2]", f"labels are {label}")
    _expect(bool(np.allclose(scores, expected, atol=1e-5)), f"scores are {scores}")
    _text_and_image()
    _compression()
    _expect(bool(np.allclose(np.linalg.inv([[2.0, 0.0], [0.0, 4.0]]), [[0.5, 0.0], [0.0, 0.25]])), "linalg fails")


def _compression() -> None:
    """Compress and decompress, by the standard library where it has the format."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    _expect(zstd.decompress(zstd.compress(b"a" * 1000)) == b"a" * 1000, "zstd fails")


def _text_and_image() -> None:
    """Tokenize; decode and resize a PNG, a JPEG, and a telephone's photograph (MPO: several JPEG files in one)."""
    from PIL import Image, ImageOps
    from tokenizers import Tokenizer, models

    tokens = Tokenizer(models.WordLevel({"a": 0, "?": 1}, unk_token="?")).encode_batch(["a", "b"])  # noqa: S106 - no secret
    _expect([each.ids for each in tokens] == [[0], [1]], f"tokens are {tokens}")
    red = Image.new("RGB", (9, 6), (255, 0, 0))
    several: dict[str, dict[str, Any]] = {"MPO": {"save_all": True, "append_images": [red]}}
    for form in ("PNG", "JPEG", "MPO"):
        file = io.BytesIO()
        red.save(file, form, **several.get(form, {}))
        opened = Image.open(file, formats=["JPEG", "PNG"])
        image = ImageOps.exif_transpose(opened).convert("RGB").resize((3, 2), 3)
        value = image.tobytes()[0]
        _expect((opened.format, image.size) == (form, (3, 2)), f"a {form} is {opened.format} of {image.size}")
        _expect(value > 250, f"a {form} of red is {value}")


def control() -> None:
    """Answer a request of API Gateway through FastAPI and Mangum, log with Powertools, make an S3 client."""
    import boto3
    import fastapi
    from aws_lambda_powertools import Logger
    from mangum import Mangum
    from pydantic import BaseModel

    class Pair(BaseModel):
        left: int
        right: int

    app = fastapi.FastAPI()
    context: Any = SimpleNamespace(aws_request_id="probe")

    @app.post("/add")
    def add(pair: Pair) -> dict[str, int]:  # no `annotations` import above: FastAPI must find this local class
        return {"sum": pair.left + pair.right}

    answer = Mangum(app, lifespan="off")(_rest_event("POST", "/add", '{"left": 2, "right": 3}'), context)
    _expect(answer["statusCode"] == 200 and json.loads(answer["body"]) == {"sum": 5}, f"the answer is {answer}")
    log = io.StringIO()
    Logger(service="probe", stream=log).info("probed")
    _expect(json.loads(log.getvalue())["message"] == "probed", f"the log line is {log.getvalue()}")
    session = boto3.Session("none", "none", region_name="us-east-1")
    for client in (session.client("s3"), session.client("sts")):
        _expect(client.meta.region_name == "us-east-1", "boto3 makes no client")


def signing() -> None:
    """Import what checks signatures, and check those of RFC 6979 (A.2.5) and RFC 8032 (7.1, test 1)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    point = bytes.fromhex(
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7"
        "e9f5177a3c294d4462299"
    )
    signature = bytes.fromhex(
        "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7a1b6e29f"
        "65f3e900dbb9aff4064dc4ab2f843acda8"
    )
    p256 = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    p256.verify(signature, b"sample", ECDSA(SHA256()))
    try:
        p256.verify(signature, b"simple", ECDSA(SHA256()))
    except InvalidSignature:
        pass
    else:
        raise SystemExit("a signature of something else passes")
    key = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
        "4655141438e7a100b"
    )
    Ed25519PublicKey.from_public_bytes(key).verify(signature, b"")


def imports(folders: list[str]) -> None:
    """Import every package and module that the folders hold, no deeper."""
    for found in pkgutil.iter_modules(folders):
        importlib.import_module(found.name)


def _rest_event(method: str, path: str, body: str) -> dict[str, object]:
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"content-type": "application/json", "host": "probe"},
        "multiValueHeaders": {"content-type": ["application/json"], "host": ["probe"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"identity": {"sourceIp": "127.0.0.1"}, "stage": "probe"},
        "body": body,
        "isBase64Encoded": False,
    }


def modules_from_elsewhere(folders: list[str]) -> list[str]:
    """Return loaded modules that come neither from the folders nor from the standard library."""
    standard = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    found = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or name in {"__main__", "__mp_main__"}:
            continue
        if not _within(file, folders) and ("site-packages" in file or not _within(file, standard)):
            found.append(f"{name} from {file}")
    return found


def _within(file: str, folders: list[str]) -> bool:
    return any(file.startswith(folder.rstrip("/") + "/") for folder in folders)


def _expect(true: bool, message: str) -> None:
    if not true:
        raise SystemExit(message)


def main(kind: str, folders: list[str]) -> None:
    """Probe, and print the versions of all distributions in the folders."""
    sys.path[:0] = folders
    if kind == "inference":
        inference()
    elif kind == "control":
        control()
    elif kind == "signing":
        signing()
    else:
        imports(folders)
    strays = modules_from_elsewhere(folders)
    _expect(not strays, f"modules that are not in the layer: {', '.join(strays)}")
    versions = {found.name: found.version for found in importlib.metadata.distributions(path=folders)}
    print(json.dumps({"python": sys.version.split()[0], **versions}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

"""What each layer holds: its requirements, what is cut of them and why, and how big it may get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from warmstart.errors import BuildError

MIB: Final = 1024 * 1024


class Cut(NamedTuple):
    """Files that are left out: a pattern over paths below `python/`, where `*` also crosses `/`, and the reason."""

    pattern: str
    why: str


class Recipe(NamedTuple):
    """One layer. `without` are requirements of requirements that are never imported: not even downloaded."""

    name: str
    requirements: tuple[str, ...]
    cuts: tuple[Cut, ...]
    budget_bytes: int
    without: Mapping[str, str] = {}
    keep: tuple[str, ...] = ()
    """Patterns of files that stay although a cut names them."""
    probe: Literal["inference", "control", "signing", "imports"] = "imports"
    """How the layer is tried out; see `layers/probe.py`."""


_EVERYWHERE = (
    Cut("*.pyi", "type stubs: nothing reads them at run time"),
    Cut("*/py.typed", "a marker for type checkers"),
    Cut("*/tests/*", "the package's own tests"),
    Cut("*.pxd", "sources for Cython"),
    Cut("*.pyx", "sources for Cython"),
    Cut("*.dist-info/RECORD", "the installer's list of files; it would no longer be true"),
    Cut("*.dist-info/WHEEL", "for installers"),
    Cut("*.dist-info/top_level.txt", "for installers"),
    Cut("*.dist-info/sboms/*", "a build-time inventory; the licences stay"),
    Cut("*.data/scripts/*", "commands: a layer's bin/ is not on the path"),
    Cut("*.data/headers/*", "C headers"),
    Cut("*.data/data/*", "files for a system's share/ and etc/"),
)

INFERENCE: Final = Recipe(
    name="inference",
    requirements=(
        *("numpy>=2.2", "onnxruntime>=1.28,<1.29", "orjson>=3.11", "pillow>=12", "tokenizers>=0.22"),
        'backports-zstd>=1.3; python_version < "3.14"',
    ),
    without={
        "flatbuffers": "onnxruntime's tools read .ort files with it; a session does not",
        **dict.fromkeys(
            (
                *("annotated-doc", "anyio", "certifi", "click", "filelock", "fsspec", "h11", "hf-xet", "httpcore2"),
                *("httpx2", "huggingface-hub", "idna", "markdown-it-py", "mdurl", "pygments", "pyyaml", "rich"),
                *("shellingham", "tqdm", "truststore", "typer", "typing-extensions"),
            ),
            "tokenizers downloads from Hugging Face's hub with it; a tokenizer here is a file of the version",
        ),
        "packaging": "onnxruntime's quantization and transformers tools compare versions with it",
        "protobuf": "onnxruntime's tools edit models with it; a session has its own parser",
    },
    cuts=(
        *_EVERYWHERE,
        Cut("numpy/_core/include/*", "C headers"),
        Cut("numpy/_core/lib/*", "a static library to link against"),
        Cut("numpy/random/lib/*", "a static library to link against"),
        Cut("numpy/random/_examples/*", "examples"),
        Cut("numpy/_core/_*_tests.*", "extension modules that only the tests import"),
        Cut("numpy/_core/_simd.*", "an extension module that only the tests import"),
        Cut("numpy/testing/print_coercion_tables.py", "a developer's script; imports a test module"),
        Cut("numpy/conftest.py", "for the package's own tests"),
        Cut("numpy/_pyinstaller/*", "a hook for PyInstaller"),
        Cut("numpy/f2py/*", "the Fortran compiler's front end"),
        *(
            Cut(pattern, "a format or a tool that no image of a request needs: JPEG and PNG do")
            for pattern in (
                *("PIL/*Plugin.py", "PIL/_avif.*", "PIL/_webp.*", "PIL/_imagingft.*", "PIL/_imagingcms.*"),
                *("PIL/_imagingmath.*", "PIL/ImageMath.py", "PIL/_imagingmorph.*", "PIL/ImageMorph.py"),
                *("PIL/_imagingtk.*", "PIL/ImageTk.py", "PIL/_tkinter_finder.py", "PIL/PSDraw.py"),
                *("pillow.libs/libavif-*", "pillow.libs/libfreetype-*", "pillow.libs/libharfbuzz-*"),
                *("pillow.libs/liblcms2-*", "pillow.libs/libwebp*", "pillow.libs/libsharpyuv-*"),
                "pillow.libs/libbrotli*",
            )
        ),
        *(
            Cut(f"backports/zstd/{part}", "archives: bodies are compressed alone")
            for part in ("tarfile.py", "zipfile/*")
        ),
        Cut("pillow.libs/libpng16-*", "only the fonts link to it: Pillow reads PNG files itself"),
        # libonnxruntime_providers_shared.so stays: without it, every import writes a warning to the log.
        Cut(
            "onnxruntime/capi/libonnxruntime.so*",
            "the C API once more: the Python module holds all of it, links to none",
        ),
        Cut("onnxruntime/capi/convert_npz_to_onnx_adapter.py", "a script for LoRA adapters"),
        Cut("onnxruntime/capi/onnxruntime_collect_build_info.py", "a script for builds with CUDA"),
        Cut("onnxruntime/backend/*", "the onnx package's backend interface"),
        Cut("onnxruntime/datasets/*", "example models"),
        Cut("onnxruntime/quantization/*", "a tool for the publisher's machine"),
        Cut("onnxruntime/tools/*", "tools for the publisher's machine"),
        Cut("onnxruntime/transformers/*", "optimisers for the publisher's machine"),
    ),
    # A photograph of a telephone is several JPEG files in one (MPO); what a JPEG file says of itself is TIFF (EXIF).
    keep=("PIL/JpegImagePlugin.py", "PIL/MpoImagePlugin.py", "PIL/PngImagePlugin.py", "PIL/TiffImagePlugin.py"),
    probe="inference",
    budget_bytes=105 * MIB,
)

SERVICES: Final = ("s3", "sts")
"""AWS services whose API descriptions stay in the control layer."""

CONTROL: Final = Recipe(
    name="control",
    requirements=("fastapi", "fastapi-offline", "mangum", "aws-lambda-powertools", "pydantic", "boto3"),
    cuts=(
        *_EVERYWHERE,
        Cut("botocore/data/*/*", "API descriptions of services that the control plane does not call"),
        Cut("fastapi_offline/static/redoc.standalone.js", "another documentation page: ours is Swagger UI"),
    ),
    keep=tuple(f"botocore/data/{service}/*" for service in SERVICES),
    probe="control",
    budget_bytes=60 * MIB,
)

SIGNING: Final = Recipe(
    name="signing",
    requirements=("cryptography>=48",),
    without={"pycparser": "cffi's compiler reads C with it; nothing is compiled here"},
    cuts=(
        *_EVERYWHERE,
        Cut("cffi/*", "a compiler of bindings: cryptography was compiled, and needs `_cffi_backend` alone"),
    ),
    probe="signing",
    budget_bytes=17 * MIB,
)
"""What the inference function checks signatures with; attached where a stage asks for them."""

RECIPES: Final[Mapping[str, Recipe]] = {recipe.name: recipe for recipe in (INFERENCE, CONTROL, SIGNING)}


def recipe_named(name: str) -> Recipe:
    """Look a recipe up. Raises: BuildError."""
    if (recipe := RECIPES.get(name)) is None:
        raise BuildError(f"layer: expected one of {', '.join(RECIPES)}; got {name!r}")
    return recipe

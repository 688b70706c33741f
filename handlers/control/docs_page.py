"""The docs page: Swagger UI and the description in ONE document.

The control plane is behind IAM. A browser opens the page by a presigned URL, and such a URL signs one request: a page
that loaded its script, style or description from elsewhere would get 403 for each. So all is inlined, and the content
security policy lets nothing else in. "Try it out" is off for the same reason: its requests would not be signed.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any, Final

_START: Final = """
SwaggerUIBundle({
  spec: JSON.parse(document.getElementById("description").textContent),
  dom_id: "#ui",
  validatorUrl: null,
  supportedSubmitMethods: [],
  defaultModelsExpandDepth: 0,
});
"""
_START_SHA256: Final = b64encode(sha256(_START.encode()).digest()).decode()

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"script-src data: 'sha256-{_START_SHA256}'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_PAGE: Final = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<div id="ui"></div>
<script type="application/json" id="description">$description</script>
<script src="data:text/javascript;base64,$script"></script>
<script>$start</script>
</body>
</html>
"""
)


def docs_page(description: Mapping[str, Any]) -> str:
    """Render the page for an OpenAPI description (about 2.2 MB, below the platform's 6 MB)."""
    return _PAGE.substitute(
        title=description["info"]["title"],
        style=_style(),
        description=json.dumps(description).replace("<", r"\u003c"),
        script=_script(),
        start=_START,
    )


@cache
def _script() -> str:
    # As a data: URL, because the script holds "<!--" and "<script>", which change how an inline script ends
    # (HTML, "Restrictions for contents of script elements").
    return b64encode((_assets() / "swagger-ui-bundle.js").read_bytes()).decode()


@cache
def _style() -> str:
    css = (_assets() / "swagger-ui.css").read_text(encoding="utf-8")
    return css.partition("/*# sourceMappingURL")[0]


def _assets() -> Path:
    # The package is here for its files alone: finding it does not import it.
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package fastapi-offline, which carries Swagger UI, is not in the layer")
    return Path(spec.origin).parent / "static"

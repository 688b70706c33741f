"""A model's page for people: what it takes and gives, and a form that asks it. One document, nothing from elsewhere."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from string import Template
from typing import TYPE_CHECKING, Any, Final

from warmstart.protocols.openapi import Place, describe
from warmstart.protocols.wire import JSON, Rendered

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model
    from warmstart.tensors import TensorSpec

HTML: Final = "text/html; charset=utf-8"
_MOST: Final = 50_000
"""Characters of an example that the form begins with; a longer one is left out."""

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5b6577; --line: #dde2ea; --page: #f6f7f9; --card: #fff;
  --code: #f1f3f7; --accent: #2457d6; --on: #fff; --good: #14753f; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa5b8; --line: #2c3442; --page: #12161d;
  --card: #1a2029; --code: #12171f; --accent: #86a8ff; --on: #10151d; --good: #6fd19b; --bad: #ff9a92 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.55 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
h1 { margin: 0; font-size: 1.9rem; letter-spacing: -.02em }
h2 { margin: 0 0 .8rem; font-size: 1.05rem }
header p { margin: .3rem 0 1.6rem; color: var(--soft) }
a { color: var(--accent) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem 1.4rem;
  margin: 0 0 1.1rem }
.scroll { overflow-x: auto }
table { width: 100%; border-collapse: collapse }
th, td { text-align: left; padding: .5rem .9rem .5rem 0; border-top: 1px solid var(--line); vertical-align: top }
tr:first-child th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .85rem }
code, pre, textarea { font: 13px/1.5 ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace }
pre, textarea { background: var(--code); border: 1px solid var(--line); border-radius: 8px; padding: .8rem;
  color: var(--ink); width: 100%; margin: 0 }
pre { overflow: auto; max-height: 24rem; white-space: pre-wrap; overflow-wrap: anywhere }
textarea { min-height: 11rem; resize: vertical }
.verb { display: inline-block; min-width: 3.2rem; font-weight: 650; color: var(--accent) }
.tag { display: inline-block; border: 1px solid var(--line); border-radius: 99px; padding: 0 .6rem;
  margin: 0 .35rem .35rem 0 }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: .9rem; margin: 0 0 .9rem }
@media (max-width: 40rem) { .fields { grid-template-columns: 1fr } }
label { display: block; color: var(--soft); font-size: .85rem }
select, input { display: block; width: 100%; margin-top: .25rem; padding: .5rem .6rem; font: inherit; color: var(--ink);
  background: var(--code); border: 1px solid var(--line); border-radius: 8px }
button { margin: .9rem 0; padding: .55rem 1.2rem; font: inherit; font-weight: 600; color: var(--on);
  background: var(--accent); border: 0; border-radius: 8px; cursor: pointer }
button:disabled { opacity: .6; cursor: wait }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.good { color: var(--good) } .bad { color: var(--bad) } .soft { color: var(--soft) }
"""

_SCRIPT: Final = """
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const base = new URL(data.base, location.href).href.replace(/\\/$/, "");
const show = () => { at("body").value = data.forms[at("route").value].body; };
at("route").addEventListener("change", show);
at("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = at("send"), status = at("status"), answer = at("answer");
  button.disabled = true;
  const began = performance.now();
  try {
    const headers = { "content-type": "application/json" };
    if (at("key").value) headers["x-api-key"] = at("key").value;
    const path = data.forms[at("route").value].path;
    const response = await fetch(base + path, { method: "POST", headers, body: at("body").value });
    const text = await response.text();
    status.className = response.ok ? "good" : "bad";
    status.textContent = `${response.status} in ${Math.round(performance.now() - began)} ms`;
    try { answer.textContent = JSON.stringify(JSON.parse(text), null, 2); } catch { answer.textContent = text; }
  } catch (error) {
    status.className = "bad";
    status.textContent = "no answer";
    answer.textContent = String(error);
  }
  answer.hidden = false;
  button.disabled = false;
});
show();
"""


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"script-src {_hash(_SCRIPT)}",
        f"style-src {_hash(_STYLE)}",
        "img-src data:",
        "connect-src 'self'",
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
<title>$name: version $version</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<main>
<header><h1>$name</h1><p>Version $version · <a href="openapi.json">OpenAPI document</a></p></header>
<section><h2>Takes</h2>$inputs</section>
<section><h2>Gives</h2>$outputs$labels</section>
<section><h2>Ask it</h2>
<form id="form">
<div class="fields">
<label>Route<select id="route">$choices</select></label>
<label>Key (x-api-key)<input id="key" type="password" autocomplete="off"></label>
</div>
<label>Body<textarea id="body" spellcheck="false"></textarea></label>
<button id="send">Send</button> <span id="status" role="status"></span>
</form>
<pre id="answer" hidden></pre>
</section>
<section><h2>Routes</h2>$routes</section>
</main>
<script type="application/json" id="data">$data</script>
<script>$script</script>
</body>
</html>
"""
)


def render_docs(place: Place, model: Model, golden: bytes | None) -> Rendered:
    """Write the page, from the same document as `openapi.json`."""
    document = describe(place, model, golden)
    forms = [
        _form("Plain records", place.predict, document),
        _form("Open Inference Protocol", f"{place.path}/infer", document),
    ]
    page = _PAGE.substitute(
        name=escape(model.name),
        version=model.version,
        style=_STYLE,
        script=_SCRIPT,
        inputs=_tensors(model.signature.inputs),
        outputs=_tensors(model.signature.outputs),
        labels=_labels(model),
        choices="".join(f'<option value="{index}">{form["name"]}</option>' for index, form in enumerate(forms)),
        routes=_routes(document),
        data=json.dumps({"base": place.base, "forms": forms}).replace("<", r"\u003c"),
    )
    headers = (
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    )
    return Rendered(page.encode(), HTML, headers)


def _form(name: str, path: str, document: dict[str, Any]) -> dict[str, str]:
    content = document["paths"][path]["post"]["requestBody"]["content"][JSON]
    body = json.dumps(content["example"]) if "example" in content else ""
    return {"name": name, "path": path, "body": body if len(body) <= _MOST else ""}


def _tensors(specs: tuple[TensorSpec, ...]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(spec.name)}</code></td><td>{spec.datatype}</td>"
        f"<td><code>{list(spec.shape)}</code></td></tr>"
        for spec in specs
    )
    return f'<div class="scroll"><table><tr><th>Name<th>Datatype<th>Shape (-1 is any size)</tr>{rows}</table></div>'


def _labels(model: Model) -> str:
    if not model.labels:
        return ""
    shown = "".join(f'<span class="tag">{escape(str(label))}</span>' for label in model.labels[:200])
    more = f' <span class="soft">and {len(model.labels) - 200} more</span>' if len(model.labels) > 200 else ""
    return f'<p class="soft">Labels, in the order of scores</p><div>{shown}{more}</div>'


def _routes(document: dict[str, Any]) -> str:
    rows = "".join(
        f'<tr><td><span class="verb">{verb.upper()}</span></td><td><code>{escape(path)}</code></td>'
        f"<td>{escape(operation['summary'])}</td></tr>"
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    )
    return f'<div class="scroll"><table>{rows}</table></div>'

"""The description of the API as one page for people: no scripts, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from html import escape
from http import HTTPStatus
from typing import Any, Final

from radfuse.web.api.description import operations_of

_STYLE: Final = """
:root{color-scheme:dark light;--back:#141517;--raised:#1d1e21;--line:#34363b;--text:#e3e4e6;--faint:#9a9da4;
--link:#6cb0ff}
@media(prefers-color-scheme:light){:root{--back:#fff;--raised:#f5f6f7;--line:#dcdfe4;--text:#1b1d20;--faint:#5d626b;
--link:#0a5cb8}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:14px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{display:grid;grid-template-columns:260px minmax(0,1fr);gap:32px;max-width:1240px;margin:0 auto;padding:0 24px 64px}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:24px 0;font-size:13px}
nav ul{list-style:none;margin:0 0 12px;padding:0}
nav a{display:block;padding:2px 0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
nav h2,section>h2{font-size:12px;text-transform:uppercase;letter-spacing:.05em;color:var(--faint);margin:16px 0 4px}
section>h2{font-size:13px;margin:40px 0 12px;border-bottom:1px solid var(--line);padding-bottom:4px}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
h1{font-size:24px;margin:24px 0 4px}
article{background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:12px 16px;margin:0 0 12px}
article h3{margin:0;font-size:14px;font-weight:600;display:flex;gap:8px;align-items:baseline;flex-wrap:wrap}
article p{margin:6px 0 0;max-width:80ch}
code{font:13px ui-monospace,"SF Mono",Menlo,Consolas,monospace}
.method{font:600 12px ui-monospace,Menlo,Consolas,monospace;border:1px solid currentColor;border-radius:4px;
padding:1px 6px;min-width:56px;text-align:center}
.get{color:#5aa9e6}.post{color:#5cb85c}.put,.patch{color:#e0a030}.delete{color:#e5686b}
@media(prefers-color-scheme:light){.get{color:#0a5cb8}.post{color:#1d7a33}.put,.patch{color:#8a5a00}.delete{color:#b3261e}}
.role{margin-left:auto;color:var(--faint);font-weight:400;font-size:12px}
table{border-collapse:collapse;width:100%;margin:8px 0 0;table-layout:fixed}
td:nth-child(1),th:nth-child(1){width:24%;overflow-wrap:anywhere}td:nth-child(2),th:nth-child(2){width:34%}
td,th{text-align:left;vertical-align:top;padding:4px 16px 4px 0;border-top:1px solid var(--line);font-weight:400}
th{color:var(--faint);font-size:12px;border:0}
.faint{color:var(--faint)}
@media(max-width:900px){main{grid-template-columns:minmax(0,1fr)}nav{display:none}}
"""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'",
    "Cache-Control": "no-cache",
}

_CODE: Final = re.compile(r"`([^`]+)`")
_SCHEMA: Final = "#/components/schemas/"


def page_of(description: dict[str, Any]) -> str:
    """The page."""
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = defaultdict(list)
    for path, method, operation in operations_of(description):
        by_tag[operation.get("tags", ["other"])[0]].append((path, method, operation))
    info = description["info"]
    body = [
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{_prose(info['description'])}</p>",
        '<p><a href="/api/openapi.json">openapi.json</a>: the same for programs.</p>',
        *(_group(tag, operations) for tag, operations in sorted(by_tag.items())),
        _shapes(description["components"]["schemas"]),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>API of {escape(info['title'])}</title><style>{_STYLE}</style>"
        f"<main><nav>{''.join(_contents(by_tag))}</nav><div>{''.join(body)}</div></main></html>"
    )


def _prose(text: str) -> str:
    """Text with `code` in it, and paragraphs."""
    return _CODE.sub(r"<code>\1</code>", escape(text)).replace("\n\n", "</p><p>")


def _anchor(method: str, path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{method} {path}".lower()).strip("-")


def _contents(by_tag: Mapping[str, list[tuple[str, str, dict[str, Any]]]]) -> Iterator[str]:
    for tag, operations in sorted(by_tag.items()):
        yield f"<h2>{escape(tag)}</h2><ul>"
        for path, method, operation in operations:
            yield f'<li><a href="#{_anchor(method, path)}">{escape(operation.get("summary", path))}</a></li>'
        yield "</ul>"


def _group(tag: str, operations: list[tuple[str, str, dict[str, Any]]]) -> str:
    return f"<section><h2>{escape(tag)}</h2>{''.join(_operation(*each) for each in operations)}</section>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    role = operation.get("x-role", "")
    told = operation.get("description", "")
    parts = [
        f'<article id="{_anchor(method, path)}"><h3><span class="method {method}">{method.upper()}</span>'
        f'<code>{escape(path)}</code><span class="role">{escape(role or "without login")}</span></h3>',
        f"<p>{_prose(operation.get('summary', ''))}.</p>" + (f"<p>{_prose(told)}</p>" if told else ""),
    ]
    rows = [
        (each["name"], _type_of(each["schema"]), each.get("description", ""))
        for each in operation.get("parameters", ())
        if each["in"] != "cookie"
    ]
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        rows.append(("body", _type_of(content.get("schema", {})), "" if media_type.endswith("json") else media_type))
    parts.append(_table(rows, ("takes", "", "")))
    parts.append(_table(list(_answers(operation["responses"])), ("answers", "", "")))
    return "".join(parts) + "</article>"


def _answers(responses: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for status, response in responses.items():
        if int(status) < HTTPStatus.BAD_REQUEST:
            types = [_type_of(content.get("schema", {})) for content in response.get("content", {}).values()]
            yield status, " or ".join(filter(None, types)), response.get("description", "")
    refused = [status for status in responses if int(status) >= HTTPStatus.BAD_REQUEST]
    if refused:
        words = [HTTPStatus(int(status)).phrase.lower() for status in refused]
        yield " ".join(refused), _type_of({"$ref": f"{_SCHEMA}Problem"}), ", ".join(words)


def _table(rows: list[tuple[str, str, str]], heads: tuple[str, ...]) -> str:
    """Names as they are, types as HTML already, words."""
    if not rows:
        return ""
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{type_}</td><td>{_prose(words)}</td></tr>"
        for name, type_, words in rows
    )
    return f"<table><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>{cells}</table>"


def _shapes(schemas: Mapping[str, Any]) -> str:
    return f"<section><h2>shapes</h2>{''.join(_shape(*each) for each in sorted(schemas.items()))}</section>"


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    needed = schema.get("required", ())
    rows = [
        (field + ("" if field in needed else "?"), _type_of(each), each.get("description", ""))
        for field, each in schema.get("properties", {}).items()
    ]
    values = " ".join(f"<code>{escape(str(value))}</code>" for value in schema.get("enum", ()))
    told = f"<p>{_prose(schema.get('description', ''))}</p>"
    table = _table(rows, ("", "", ""))
    return f'<article id="{escape(name)}"><h3><code>{escape(name)}</code></h3>{told}<p>{values}</p>{table}</article>'


def _type_of(schema: Mapping[str, Any]) -> str:
    """A type in words, with links to the shapes, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].removeprefix(_SCHEMA))
        return f'<a href="#{name}">{name}</a>'
    for many in ("anyOf", "oneOf"):
        if many in schema:
            return " or ".join(_type_of(each) for each in schema[many])
    if "enum" in schema or "const" in schema:
        return " ".join(f"<code>{escape(str(value))}</code>" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type_of(schema.get('items', {}))}"
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        return f"map of {_type_of(extra)}"
    return f'<span class="faint">{escape(str(schema.get("type", "")))}</span>'

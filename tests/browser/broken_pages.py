"""Variants of the pages that break one promise each: of what a browser may load, of names, of reach. They break this process for good."""

from __future__ import annotations

import time

from secure_mcp_gateway.api import pages
from secure_mcp_gateway.api.pages import assets

_ELSEWHERE = "https://cdn.example.com/logo.png"


def _replace(name: str, *changes: tuple[str, str]) -> None:
    """Serves the pages with this file changed: each old text, which must stand in it, by a new one."""
    texts = _texts()
    for old, new in changes:
        assert old in texts[name], f"{name} has no {old!r}"
        texts[name] = texts[name].replace(old, new)
    _serve(texts)


def _append(name: str, more: str) -> None:
    texts = _texts()
    _serve({**texts, name: texts[name] + more})


def _texts() -> dict[str, str]:
    """As they are served, which may be changed already."""
    return dict(vars(pages)["our_assets"]()._texts)


def _serve(texts: dict[str, str]) -> None:
    ours = assets.Assets(texts)
    vars(pages)["our_assets"] = lambda: ours


def _loosen(policy: str) -> None:
    others = [field for field in pages._FOR_PAGES if field[0] != "Content-Security-Policy"]
    pages._FOR_PAGES[:] = [("Content-Security-Policy", policy), *others]


def names_another_host() -> None:
    _append("common.css", f"body {{ background-image: url({_ELSEWHERE}) }}")


def names_another_host_and_is_let() -> None:
    names_another_host()
    _loosen("")


def has_an_inline_script() -> None:
    _replace("docs.html", ("</body>", "<script>document.title = 'x'</script></body>"))


def has_an_error() -> None:
    _append("console.js", "\nsetTimeout(() => nothing.here, 50);\n")


def moves_what_is_shown() -> None:
    late = 'const late = document.createElement("p"); late.textContent = "Late"; late.setAttribute("class", "note");'
    _append("redoc.js", f"\nsetTimeout(() => {{ {late} document.body.prepend(late); }}, 200);\n")


def is_slow() -> None:
    file = pages._file

    def slow(path: str) -> assets.Asset:
        # Longer than the longest patience with a paint, shorter than the shortest with a page.
        time.sleep(1.3 if path.startswith("/assets/common-") and path.endswith(".css") else 0)
        return file(path)

    pages._file = slow


def is_large() -> None:
    text = "".join(f"{number * 7919 % 10007:05d}" for number in range(40_000))
    _append("docs.css", f'.none::before {{ content: "{text}" }}')


def makes_markup_of_text() -> None:
    """A text becomes what it says; the policy does not forbid it either."""
    made = 'const made = document.createElement("template"); made.innerHTML = child; node.append(made.content);'
    each = f'if (typeof child === "string") {{ {made} }} else node.append(child);'
    flat = "children.flat(Infinity).filter((child) => child != null && child !== false)"
    _replace("common.js", (f"node.append(...{flat});", f"for (const child of {flat}) {{ {each} }}"))
    _loosen("default-src 'self'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; style-src 'self'")


def makes_markup_of_text_against_the_policy() -> None:
    makes_markup_of_text()
    _loosen(pages._POLICY)


def misses_a_label() -> None:
    taken = 'each.removeAttribute("aria-label"), each.removeAttribute("title")'
    _append("redoc.js", f'\ndocument.querySelectorAll("button").forEach((each) => ({taken}));\n')


def is_too_pale() -> None:
    _append("common.css", ":root { --text: #a0a4ad; --faint: #c0c4cc; }")


def hides_focus() -> None:
    _append("common.css", "*, *:focus-visible { outline: none !important }")


def leaves_out_the_keyboard() -> None:
    _replace("common.js", ('class: "theme-switch"', 'class: "theme-switch", tabindex: "-1"'))


def is_too_wide() -> None:
    _append("common.css", "main { min-width: 30rem; }")


def shows_another_status() -> None:
    _replace("docs-try.js", ('answer.status || "none"', "answer.status + 1"))


def sends_no_key() -> None:
    _replace("docs-try.js", ("currentKey() });", '"" });'))


def keeps_the_key() -> None:
    """In the browser, so that a reload does not ask again."""
    again = 'document.querySelector("#key").value = sessionStorage.kept; document.querySelector("#key").form.requestSubmit();'
    _append("console.js", f"\nif (sessionStorage.kept) {{ {again} }}\n")
    _replace("common.js", ("key = value.trim();", "key = value.trim(); if (key) sessionStorage.kept = key;"))


def keeps_a_secret_on_the_page() -> None:
    found = 'document.querySelector("dialog input[readonly]")?.value'
    watch = f"() => (document.body.dataset.last = {found} ?? document.body.dataset.last)"
    _append("console.js", f"\nnew MutationObserver({watch}).observe(document.body, {{ childList: true, subtree: true }});\n")


def names_no_loss() -> None:
    _append("console.css", "dialog ul { display: none }")


def rounds_numbers() -> None:
    _replace("json.js", ("if (marked === text) return value;", "return value;"))

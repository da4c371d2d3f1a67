"""Markup in every text that the admin API takes: where a page makes elements of a text, an image is asked for and a script runs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.crash.server import Client

# An element in text, an end of an attribute and of the text that it stands in, and what a template or an SVG would take.
IMAGE = '<img src=x onerror="window.markupRan=1">'
SCRIPT = '"><script>window.markupRan=1</script>'
SVG = "'><svg/onload=window.markupRan=1></title></text>"
EMAIL = "<img/src=x/onerror=window.markupRan=1>@markup.example.com"
LINK = "https://markup.example.com/?q=javascript:window.markupRan=1"
# What stands where only letters, digits and some signs may.
SERVER = "markup-server"


def fill(client: Client) -> None:
    _fill_configs(client)
    for name, config in ((f"P {IMAGE}", f"C {IMAGE}"), (f"Q {SCRIPT}", f"D {SCRIPT}"), (f"R {SVG}", f"E {SVG}")):
        _done(client, "/projects", {"project_name": name})
        _done(client, f"/projects/{_quoted(name)}/assign-config", {"config_name": config})
        email = f"{name[0]}{EMAIL}"
        _done(client, "/users", {"email": email})
        _done(client, f"/projects/{_quoted(name)}/users", {"email": email})
        _done(client, f"/users/{_quoted(email)}/api-keys", {"project_name": name, "expires_in_days": 3})
        _done(client, "/admin-keys", {"name": f"A {name}"})
    # Refused: the audit holds what was asked for all the same.
    client.send("POST", "/users", {"email": f"P{EMAIL}"})
    client.send("DELETE", f"/configs/{_quoted('C ' + IMAGE)}")


def _fill_configs(client: Client) -> None:
    for name, text in ((f"C {IMAGE}", IMAGE), (f"D {SCRIPT}", SCRIPT), (f"E {SVG}", SVG)):
        _done(client, "/configs", {"config_name": name})
        policy = {"enabled": True, "policy_name": text, "block": [text], "additional_config": {text: text}}
        tools = {f"tool {text}": text, f"other {text}": {"description": text, "enabled": False}}
        server = {"server_name": SERVER, "description": f"about {text}", "tools": tools, "denied_tools": [f"denied {text}"]}
        local = {"server_command": f"run {text}", "args": [text], "env": {text.replace("=", "-"): text}, "input_guardrails_policy": policy}
        _done(client, f"/configs/{_quoted(name)}/servers", {**server, **local})
        remote = {"server_url": LINK, "headers": {"X-Markup": text}, "output_guardrails_policy": policy}
        _done(client, f"/configs/{_quoted(name)}/servers", {**server, **remote, "server_name": f"{SERVER}-2"})


def _done(client: Client, path: str, body: Any) -> None:
    answer = client.send("POST", path, body)
    assert answer.status < 300, (path, answer.body)


def _quoted(name: str) -> str:
    return quote(name, safe="")

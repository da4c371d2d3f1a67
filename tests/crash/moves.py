"""What a client of a random history does next: any operation, on a few names that all clients fight for."""

from __future__ import annotations

import itertools
from collections import deque
from random import Random
from typing import Any, NamedTuple

Values = dict[str, Any]
NOBODY = "key_0000000000000000"
_EMAILS = ("default@example.com", *(f"u{number}@example.com" for number in range(30)))
_PROJECTS = ("default_project", *(f"p{number}" for number in range(11)))
_CONFIGS = ("default_config", *(f"c{number}" for number in range(7)))
_SERVERS = ("echo_server", "s1", "s2", "s3")
_ADMIN_KEYS = ("a1", "a2", "a3", "a4")


class Move(NamedTuple):
    operation: str
    values: Values
    if_match: str | None = None


class Known:
    """What the clients of one process saw of ids and secrets; several threads add to it."""

    def __init__(self) -> None:
        self.keys: deque[str] = deque(maxlen=24)
        self.ids: dict[str, deque[str]] = {field: deque(maxlen=8) for field in ("user_id", "project_id", "mcp_config_id")}
        self.secrets: deque[str] = deque([NOBODY], 8)
        self.members: deque[Values] = deque(maxlen=16)

    def forget(self, values: Values) -> None:
        """What is not there is not asked for again, or hardly anything else would be."""
        for found, name in ((self.keys, values.get("api_key")), (self.members, values)):
            try:
                found.remove(name)
            except ValueError:
                pass

    def learn(self, operation: str, values: Values, result: Any) -> None:
        if operation == "project add-user":
            self.members.append(values)
        row = result[-1] if isinstance(result, list) and result else result
        if not isinstance(row, dict):
            return
        for field, ids in self.ids.items():
            if isinstance(row.get(field), str):
                ids.append(row[field])
        if operation in ("user generate-api-key", "user rotate-api-key"):
            self.secrets.append(row["api_key"])
            self.keys.append(row["api_key_id"])
        shown = row.get("api_keys") if operation == "user get" else result if "list" in operation and "api_key" in row else ()
        self.keys.extend(key["api_key"] for key in shown or ())


class Moves:
    """``generation`` is the newest that this client read. ``reads`` is the share of operations that only read, ``conditional`` that of
    the writes which have an If-Match where there is a generation to name."""

    def __init__(self, dice: Random, known: Known, reads: float, conditional: float) -> None:
        self._dice = dice
        self._known = known
        self._reads = reads
        self._conditional = conditional
        self.generation = -1

    def next(self) -> Move:
        reading = self._dice.random() < self._reads
        names, weights = _READS if reading else _WRITES
        operation: str = self._dice.choices(names, cum_weights=weights)[0]
        values = getattr(self, "_" + operation.replace(" ", "_").replace("-", "_"), dict)()
        return Move(operation, values, None if reading else self._if_match())

    def _if_match(self) -> str | None:
        """Mostly the generation that was read, sometimes a list that goes on from it."""
        if self.generation < 0 or self._dice.random() >= self._conditional:
            return None
        count = self._dice.choice((1, 1, 1, 4, 16))
        return "*" if self._dice.random() < 0.02 else ", ".join(f'"{self.generation + number}"' for number in range(count))

    def _one(self, names: tuple[str, ...], field: str) -> str:
        """Mostly by name, now and then by an id that was seen."""
        ids = self._known.ids[field]
        if ids and self._dice.random() < 0.15:
            return str(self._dice.choice(tuple(ids)))
        return self._dice.choice(names)

    def _email(self) -> str:
        email = self._dice.choice(_EMAILS)
        return email.capitalize() if self._dice.random() < 0.2 else email

    def _page(self) -> Values:
        return {"limit": self._dice.randrange(8), "offset": self._dice.randrange(8)} if self._dice.random() < 0.6 else {}

    def _user(self) -> Values:
        identifier = self._one(_EMAILS, "user_id")
        return {"user_identifier": identifier.upper() if "@" in identifier and self._dice.random() < 0.1 else identifier}

    def _project(self) -> Values:
        return {"project_identifier": self._one(_PROJECTS, "project_id")}

    def _config(self) -> Values:
        return {"config_identifier": self._one(_CONFIGS, "mcp_config_id")}

    def _server(self) -> Values:
        return {**self._config(), "server_name": self._dice.choice(_SERVERS)}

    def _text(self) -> str:
        return f"{self._dice.randrange(10_000)} \u00e4\u20ac"

    def _days(self) -> Values:
        return {"expires_in_days": self._dice.randrange(1, 400)} if self._dice.random() < 0.3 else {}

    def _key(self) -> Values:
        """By its public id; the ids of other processes' keys come from reads."""
        return {"api_key": self._dice.choice((NOBODY, *self._known.keys))}

    def _member(self) -> Values:
        """Mostly a pair that was seen."""
        pairs = tuple(self._known.members)
        return dict(self._dice.choice(pairs)) if pairs and self._dice.random() < 0.8 else self._project_add_user()

    def _admin_key(self) -> Values:
        return {"admin_key": self._dice.choice(_ADMIN_KEYS)}

    def _user_create(self) -> Values:
        return {"email": self._email()}

    def _user_update(self) -> Values:
        return {**self._user(), "new_email": self._email()}

    def _user_delete(self) -> Values:
        return {**self._user(), "force": self._dice.random() < 0.5}

    def _project_create(self) -> Values:
        return {"project_name": self._dice.choice(_PROJECTS)}

    def _project_assign_config(self) -> Values:
        return {**self._project(), **self._config()}

    def _project_add_user(self) -> Values:
        return {**self._project(), **self._user()}

    def _config_add(self) -> Values:
        return {"config_name": self._dice.choice(_CONFIGS)}

    def _config_copy(self) -> Values:
        return {"source_config": self._config()["config_identifier"], "target_config": self._dice.choice(_CONFIGS)}

    def _config_rename(self) -> Values:
        return {**self._config(), "new_name": self._dice.choice(_CONFIGS)}

    def _config_add_server(self) -> Values:
        more = {"args": [self._text()], "description": self._text()} if self._dice.random() < 0.5 else {}
        return {**self._server(), "server_command": "run", **more}

    def _config_update_server(self) -> Values:
        given = {"description": self._text(), "args": [self._text()], "denied_tools": [self._text()]}
        given["new_server_name"] = self._dice.choice(_SERVERS)
        chosen = self._dice.sample(sorted(given), self._dice.randrange(1, 5))
        return {**self._server(), **{field: given[field] for field in chosen}}

    def _user_generate_api_key(self) -> Values:
        return {**self._member(), **self._days()}

    def _user_rotate_api_key(self) -> Values:
        """By its secret too: one that was rotated since opens nothing."""
        return {"api_key": self._dice.choice(tuple(self._known.secrets))} if self._dice.random() < 0.3 else self._key()

    def _user_list_api_keys(self) -> Values:
        return {**self._user(), **(self._project() if self._dice.random() < 0.5 else {})}

    def _user_list_all_api_keys(self) -> Values:
        return {**self._page(), **({"disabled": self._dice.random() < 0.5} if self._dice.random() < 0.5 else {})}

    def _admin_key_create(self) -> Values:
        return {"name": self._dice.choice(_ADMIN_KEYS), **self._days()}

    def _config_configure_telemetry(self) -> Values:
        return {self._dice.choice(("enabled", "insecure")): self._dice.random() < 0.5}

    _user_get = _user_delete_all_api_keys = _user_list_projects = _user
    _project_get = _project_remove = _project_unassign_config = _project_get_config = _project_list_users = _project
    _project_remove_all_users = _project
    _config_get = _config_remove = _config_remove_all_servers = _config_list_servers = _config
    _config_get_server = _config_remove_server = _server
    _user_get_api_key = _user_disable_api_key = _user_enable_api_key = _user_delete_api_key = _key
    _project_remove_user = _member
    _admin_key_rotate = _admin_key_disable = _admin_key_enable = _admin_key_delete = _admin_key
    _user_list = _project_list = _config_list = _admin_key_list = _page


def _weighted(text: str) -> tuple[list[str], list[float]]:
    """``name weight`` on each line."""
    pairs = [line.strip().rpartition(" ") for line in text.strip().splitlines()]
    return [name for name, _, _ in pairs], list(itertools.accumulate(float(weight) for _, _, weight in pairs))


_WRITES = _weighted(
    """
    user create 4
    user update 3
    user delete 1.5
    user generate-api-key 10
    user rotate-api-key 5
    user disable-api-key 5
    user enable-api-key 5
    user delete-api-key 4
    user delete-all-api-keys 0.5
    project create 3
    project remove 0.7
    project assign-config 7
    project unassign-config 3
    project add-user 12
    project remove-user 4
    project remove-all-users 0.2
    config add 2
    config copy 1.5
    config rename 2
    config remove 1.5
    config add-server 5
    config update-server 7
    config remove-server 3
    config remove-all-servers 0.5
    config configure-telemetry 2
    admin-key create 2
    admin-key rotate 2
    admin-key disable 1
    admin-key enable 2
    admin-key delete 0.7
    """
)
_READS = _weighted(
    """
    user get 10
    user list 1
    user list-projects 3
    user get-api-key 6
    user list-api-keys 4
    user list-all-api-keys 1
    project get 8
    project list 1
    project get-config 3
    project list-users 3
    config get 8
    config list 1
    config list-servers 3
    config get-server 4
    config get-telemetry 2
    admin-key list 2
    """
)
EVERY_KIND: tuple[str, ...] = (*_WRITES[0], *_READS[0])

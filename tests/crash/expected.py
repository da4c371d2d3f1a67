"""What a store must hold, in plain names: the deeds replayed one after the other, and compared with what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from secure_mcp_gateway.store.document import digest_of

Tables = dict[str, dict[str, dict[str, Any]]]


class Key(NamedTuple):
    """``digest`` is empty where nobody was told the secret."""

    project: str
    disabled: bool
    digest: str


class User:
    """``keys`` by their public id, or by ``?`` and the deed where nobody was told it."""

    def __init__(self) -> None:
        self.projects: set[str] = set()
        self.keys: dict[str, Key] = {}


class State:
    """Users by e-mail, configs as the names of their servers, projects with the name of their config."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.projects: dict[str, str | None] = {}
        self.configs: dict[str, tuple[str, ...]] = {}
        self.admin_keys: dict[str, str] = {}

    @classmethod
    def first(cls, made: dict[str, Any]) -> State:
        """Of a new store, of which ``made`` is what ``generate-config`` printed."""
        state = cls()
        state._default()
        state.admin_keys = {"admin": digest_of(made["admin_api_key"]) if made.get("admin_api_key") else ""}
        if made.get("api_key"):
            state.users["default@example.com"].keys["?first"] = Key("default_project", False, digest_of(made["api_key"]))
        return state

    @classmethod
    def of(cls, tables: Tables) -> State:
        state = cls()
        configs = {key: each["mcp_config_name"] for key, each in tables["mcp_configs"].items()}
        projects = {key: each["project_name"] for key, each in tables["projects"].items()}
        users = {key: User() for key in tables["users"]}
        for member in tables["members"].values():
            users[member["user_id"]].projects.add(projects[member["project_id"]])
        for digest, key in tables["apikeys"].items():
            users[key["user_id"]].keys[key["api_key_id"]] = Key(projects[key["project_id"]], key["disabled"], digest)
        state.users = {each["email"]: users[key] for key, each in tables["users"].items()}
        state.projects = {each["project_name"]: configs.get(each["mcp_config_id"]) for each in tables["projects"].values()}
        state.configs = {each["mcp_config_name"]: _server_names(each) for each in tables["mcp_configs"].values()}
        state.admin_keys = {each["name"]: digest for digest, each in tables["admin_keys"].items()}
        return state

    def apply(self, operation: str, values: dict[str, Any], answer: Any, deed: str) -> None:
        """``answer`` is None where none came; ``deed`` names the key that nobody was told."""
        getattr(self, "_" + operation.replace(" ", "_").replace("-", "_"))(values, answer or {}, deed)

    def differences(self, found: State) -> list[str]:
        problems = []
        for name in ("projects", "configs"):
            mine, other = getattr(self, name), getattr(found, name)
            problems += [f"{name}: {each}" for each in mine.keys() | other.keys() if mine.get(each, "") != other.get(each, "")]
        for name in self.admin_keys.keys() | found.admin_keys.keys():
            mine, other = self.admin_keys.get(name, "-"), found.admin_keys.get(name, "-")
            problems += [f"admin keys: {name}"] if "-" in (mine, other) or mine not in ("", other) else []
        for email in self.users.keys() | found.users.keys():
            mine, other = self.users.get(email), found.users.get(email)
            problems += [f"users: {email}"] if mine is None or other is None or not _same(mine, other) else []
        return sorted(problems)

    def _default(self) -> None:
        user = User()
        user.projects.add("default_project")
        self.users = {"default@example.com": user}
        self.configs = {"default_config": ("echo_server",)}
        self.projects = {"default_project": "default_config"}

    def _user_create(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self.users[values["email"]] = User()

    def _user_update(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self.users[values["new_email"]] = self.users.pop(values["user_identifier"])

    def _user_delete(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        del self.users[values["user_identifier"]]

    def _project_create(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self.projects[values["project_name"]] = None

    def _project_remove(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        del self.projects[values["project_identifier"]]
        for user in self.users.values():
            user.projects.discard(values["project_identifier"])

    def _project_add_user(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self.users[values["user_identifier"]].projects.add(values["project_identifier"])

    def _project_remove_user(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        user, project = self.users[values["user_identifier"]], values["project_identifier"]
        user.projects.remove(project)
        user.keys = {name: key for name, key in user.keys.items() if key.project != project}

    def _project_assign_config(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self.projects[values["project_identifier"]] = values["config_identifier"]

    def _project_unassign_config(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self.projects[values["project_identifier"]] = None

    def _config_add(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self.configs[values["config_name"]] = ()

    def _config_rename(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        old, new = values["config_identifier"], values["new_name"]
        self.configs[new] = self.configs.pop(old)
        self.projects = {project: new if config == old else config for project, config in self.projects.items()}

    def _config_remove(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        del self.configs[values["config_identifier"]]

    def _config_add_server(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self.configs[values["config_identifier"]] += (values["server_name"],)

    def _user_generate_api_key(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        name, digest = (answer["api_key_id"], digest_of(answer["api_key"])) if answer else (f"?{deed}", "")
        self.users[values["user_identifier"]].keys[name] = Key(values["project_identifier"], False, digest)

    def _user_rotate_api_key(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self._change_key(values, digest=digest_of(answer["api_key"]) if answer else "")

    def _user_disable_api_key(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self._change_key(values, disabled=True)

    def _user_delete_api_key(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        del self._holder(values["api_key"]).keys[values["api_key"]]

    def _admin_key_create(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self.admin_keys[values["name"]] = digest_of(answer["admin_key_secret"]) if answer else ""

    def _admin_key_delete(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        del self.admin_keys[values["admin_key"]]

    def _system_backup(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        pass

    def _system_reset(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        self._default()

    def _system_restore(self, values: dict[str, Any], answer: Any, deed: str) -> None:
        restored = State.of(values["data"])
        self.users, self.projects, self.configs = restored.users, restored.projects, restored.configs

    def _holder(self, key: str) -> User:
        return next(user for user in self.users.values() if key in user.keys)

    def _change_key(self, values: dict[str, Any], **fields: Any) -> None:
        keys = self._holder(values["api_key"]).keys
        keys[values["api_key"]] = keys[values["api_key"]]._replace(**fields)


def _server_names(config: dict[str, Any]) -> tuple[str, ...]:
    return tuple(server["server_name"] for server in config["mcp_config"])


def _same(expected: User, found: User) -> bool:
    """Known keys are the same; the others are as many of each kind, and those whose secret is known are there."""
    known = expected.keys.keys() & found.keys.keys()
    if expected.projects != found.projects or not all(_same_key(expected.keys[name], found.keys[name]) for name in known):
        return False
    unknown = [key for name, key in expected.keys.items() if name not in known]
    left = [key for name, key in found.keys.items() if name not in known]
    return (
        all(name.startswith("?") for name in expected.keys.keys() - known)
        and _kinds(unknown) == _kinds(left)
        and {key.digest for key in unknown if key.digest} <= {key.digest for key in left}
    )


def _same_key(expected: Key, found: Key) -> bool:
    return expected == found or (not expected.digest and expected[:2] == found[:2])


def _kinds(keys: Iterable[Key]) -> Counter[tuple[str, bool]]:
    return Counter((key.project, key.disabled) for key in keys)

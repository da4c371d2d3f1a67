"""The model's users, projects and API keys: what each operation must answer and change."""

from __future__ import annotations

from typing import Any

from tests.crash.model_state import (
    KEY_ID,
    SECRET,
    UUID,
    Edits,
    Found,
    Record,
    Refused,
    State,
    Turn,
    config_view,
    digest_of,
    gone,
    in_order,
    new_key,
    page,
    project_name,
    rotated,
    user_name,
)


class People(State):
    def _user_create(self, turn: Turn, email: str) -> tuple[Any, Edits]:
        self._require_free("users", email)
        key = turn.new("user_id", UUID)
        return {"user_id": key, "email": email}, [("users", key, {"email": email, "created_at": turn.now})]

    def _user_update(self, turn: Turn, user_identifier: str, new_email: str) -> tuple[Any, Edits]:
        key, user = self._named("users", user_identifier)
        self._require_free("users", new_email, key)
        return {"user_id": key, "email": new_email}, [("users", key, {**user, "email": new_email})]

    def _user_delete(self, turn: Turn, user_identifier: str, force: bool = False) -> tuple[Any, Edits]:
        key, _ = self._named("users", user_identifier)
        members, keys = self._all("members", user_id=key), self._all("apikeys", user_id=key)
        if (members or keys) and not force:
            raise Refused("conflict")
        edits = [*gone("apikeys", keys), *gone("members", members), *gone("users", [(key, {})])]
        return {"api_keys_deleted": len(keys), "projects_left": len(members)}, edits

    def _user_get(self, turn: Turn, user_identifier: str) -> tuple[Any, Edits]:
        key, user = self._named("users", user_identifier)
        keys = [self._key_view(record) for _, record in self._all("apikeys", user_id=key)]
        return {**self._user_row(key, user), "api_keys": keys}, []

    def _user_list(self, turn: Turn, **paging: int) -> tuple[Any, Edits]:
        return [self._user_row(*pair) for pair in page(self._all("users"), **paging)], []

    def _user_list_projects(self, turn: Turn, user_identifier: str, **paging: int) -> tuple[Any, Edits]:
        key, _ = self._named("users", user_identifier)
        rows = []
        for project_id, project in page(self._projects_of(key), **paging):
            keys = self._count("apikeys", user_id=key, project_id=project_id)
            rows.append({**project_name(project_id, project), "api_keys": keys, "created_at": project["created_at"]})
        return rows, []

    def _user_row(self, key: str, user: Record) -> Record:
        projects = [project_name(*pair) for pair in self._projects_of(key)]
        return {**user_name(key, user), "projects": projects, "api_keys": self._count("apikeys", user_id=key)}

    def _projects_of(self, user_id: str) -> list[Found]:
        members = [each for each in self.tables["members"].values() if each["user_id"] == user_id]
        return in_order([(each["project_id"], self.tables["projects"][each["project_id"]]) for each in members])

    def _project_create(self, turn: Turn, project_name: str) -> tuple[Any, Edits]:
        self._require_free("projects", project_name)
        key = turn.new("project_id", UUID)
        record = {"project_name": project_name, "mcp_config_id": None, "created_at": turn.now}
        return {"project_id": key, "project_name": project_name}, [("projects", key, record)]

    def _project_remove(self, turn: Turn, project_identifier: str) -> tuple[Any, Edits]:
        key, _ = self._named("projects", project_identifier)
        if self._count("apikeys", project_id=key):
            raise Refused("conflict")
        return None, [*gone("members", self._all("members", project_id=key)), ("projects", key, None)]

    def _project_assign_config(self, turn: Turn, project_identifier: str, config_identifier: str) -> tuple[Any, Edits]:
        key, project = self._named("projects", project_identifier)
        config_id, config = self._named("mcp_configs", config_identifier)
        result = {"project_id": key, "mcp_config_id": config_id, "mcp_config_name": config["mcp_config_name"]}
        return result, [("projects", key, {**project, "mcp_config_id": config_id})]

    def _project_unassign_config(self, turn: Turn, project_identifier: str) -> tuple[Any, Edits]:
        key, project = self._named("projects", project_identifier)
        if project["mcp_config_id"] is None:
            raise Refused("conflict")
        return None, [("projects", key, {**project, "mcp_config_id": None})]

    def _project_add_user(self, turn: Turn, project_identifier: str, user_identifier: str) -> tuple[Any, Edits]:
        project_id, _ = self._named("projects", project_identifier)
        user_id, user = self._named("users", user_identifier)
        if self._member(project_id, user_id):
            raise Refused("conflict")
        record = {"project_id": project_id, "user_id": user_id, "created_at": turn.now}
        result = {"project_id": project_id, "user_id": user_id, "email": user["email"]}
        return result, [("members", f"{project_id}/{user_id}", record)]

    def _project_remove_user(self, turn: Turn, project_identifier: str, user_identifier: str) -> tuple[Any, Edits]:
        project_id, _ = self._named("projects", project_identifier)
        user_id, _ = self._named("users", user_identifier)
        if not self._member(project_id, user_id):
            raise Refused("not_found")
        keys = self._all("apikeys", project_id=project_id, user_id=user_id)
        return {"api_keys_deleted": len(keys)}, [*gone("apikeys", keys), ("members", f"{project_id}/{user_id}", None)]

    def _project_remove_all_users(self, turn: Turn, project_identifier: str) -> tuple[Any, Edits]:
        key, _ = self._named("projects", project_identifier)
        members, keys = self._all("members", project_id=key), self._all("apikeys", project_id=key)
        return {"removed": len(members), "api_keys_deleted": len(keys)}, [*gone("apikeys", keys), *gone("members", members)]

    def _project_get(self, turn: Turn, project_identifier: str) -> tuple[Any, Edits]:
        key, project = self._named("projects", project_identifier)
        return {**self._project_row(key, project), "users": [user_name(*pair) for pair in self._users_of(key)]}, []

    def _project_list(self, turn: Turn, **paging: int) -> tuple[Any, Edits]:
        return [self._project_row(*pair) for pair in page(self._all("projects"), **paging)], []

    def _project_list_users(self, turn: Turn, project_identifier: str, **paging: int) -> tuple[Any, Edits]:
        key, _ = self._named("projects", project_identifier)
        rows = []
        for user_id, user in page(self._users_of(key), **paging):
            keys = self._count("apikeys", user_id=user_id, project_id=key)
            rows.append({"user_id": user_id, "email": user["email"], "api_keys": keys, "created_at": user["created_at"]})
        return rows, []

    def _project_get_config(self, turn: Turn, project_identifier: str) -> tuple[Any, Edits]:
        _, project = self._named("projects", project_identifier)
        if project["mcp_config_id"] is None:
            raise Refused("not_found")
        return config_view(project["mcp_config_id"], self.tables["mcp_configs"][project["mcp_config_id"]]), []

    def _project_row(self, key: str, project: Record) -> Record:
        config_id = project["mcp_config_id"]
        name = config_id and self.tables["mcp_configs"][config_id]["mcp_config_name"]
        config = {"mcp_config_id": config_id, "mcp_config_name": name} if config_id else None
        counts = {"users": self._count("members", project_id=key), "api_keys": self._count("apikeys", project_id=key)}
        return {**project_name(key, project), "mcp_config": config, **counts, "created_at": project["created_at"]}

    def _users_of(self, project_id: str) -> list[Found]:
        members = [each for each in self.tables["members"].values() if each["project_id"] == project_id]
        return in_order([(each["user_id"], self.tables["users"][each["user_id"]]) for each in members])

    def _user_generate_api_key(
        self, turn: Turn, user_identifier: str, project_identifier: str, expires_in_days: int | None = None
    ) -> tuple[Any, Edits]:
        user_id, _ = self._named("users", user_identifier)
        project_id, _ = self._named("projects", project_identifier)
        if not self._member(project_id, user_id):
            raise Refused("conflict")
        secret, record = new_key(turn, "api_key", SECRET, expires_in_days)
        shown = {"api_key_id": turn.new("api_key_id", KEY_ID), "user_id": user_id, "project_id": project_id}
        result = {"api_key": secret, **shown, "expires_at": record["expires_at"]}
        return result, [("apikeys", digest_of(secret), {**shown, **record})]

    def _user_rotate_api_key(self, turn: Turn, api_key: str) -> tuple[Any, Edits]:
        found = self._key("apikeys", api_key)
        secret, edits = rotated(turn, "apikeys", found, "api_key", SECRET)
        return {"api_key": secret, "api_key_id": found[1]["api_key_id"], "expires_at": found[1]["expires_at"]}, edits

    def _user_disable_api_key(self, turn: Turn, api_key: str) -> tuple[Any, Edits]:
        return self._switched(self._key("apikeys", api_key), True)

    def _user_enable_api_key(self, turn: Turn, api_key: str) -> tuple[Any, Edits]:
        found = self._key("apikeys", api_key)
        if not self._member(found[1]["project_id"], found[1]["user_id"]):
            raise Refused("conflict")
        return self._switched(found, False)

    def _switched(self, found: Found, disabled: bool) -> tuple[Any, Edits]:
        record = {**found[1], "disabled": disabled}
        return self._key_view(record), [("apikeys", found[0], record)]

    def _user_delete_api_key(self, turn: Turn, api_key: str) -> tuple[Any, Edits]:
        return None, gone("apikeys", [self._key("apikeys", api_key)])

    def _user_delete_all_api_keys(self, turn: Turn, user_identifier: str) -> tuple[Any, Edits]:
        keys = self._all("apikeys", user_id=self._named("users", user_identifier)[0])
        return {"deleted": len(keys)}, gone("apikeys", keys)

    def _user_get_api_key(self, turn: Turn, api_key: str) -> tuple[Any, Edits]:
        return self._key_view(self._key("apikeys", api_key)[1]), []

    def _user_list_all_api_keys(self, turn: Turn, disabled: bool | None = None, **paging: int) -> tuple[Any, Edits]:
        keys = [pair for pair in self._all("apikeys") if disabled in (None, pair[1]["disabled"])]
        return [self._key_view(record) for _, record in page(keys, **paging)], []

    def _user_list_api_keys(self, turn: Turn, user_identifier: str, project_identifier: str | None = None) -> tuple[Any, Edits]:
        wanted = {"user_id": self._named("users", user_identifier)[0]}
        if project_identifier is not None:
            wanted["project_id"] = self._named("projects", project_identifier)[0]
        return [self._key_view(record) for _, record in self._all("apikeys", **wanted)], []

    def _key_view(self, key: Record) -> Record:
        project = self.tables["projects"][key["project_id"]]
        return {
            "api_key": key["api_key_id"],
            "user_email": self.tables["users"][key["user_id"]]["email"],
            "project_name": project["project_name"],
            "mcp_config_id": project["mcp_config_id"],
            **{field: key[field] for field in ("hint", "user_id", "project_id", "created_at", "expires_at", "disabled", "rotated_at")},
        }

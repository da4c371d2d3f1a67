"""A given document read against the store: which record each entry means, and what goes because nothing names it."""

from __future__ import annotations

from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.repository.configs import mistyped, server_doubts
from secure_mcp_gateway.repository.desired_document import DESIRED_KIND, DESIRED_VERSION, FURTHER, SECTIONS, Reader, further_of, own_fields
from secure_mcp_gateway.repository.exports import unwrapped
from secure_mcp_gateway.repository.names import check_email, check_name, key_by_name, nearest, quoted, quoted_list
from secure_mcp_gateway.repository.servers import SERVER_FIELDS
from secure_mcp_gateway.repository.tool_lists import contradictions
from secure_mcp_gateway.store.check import POLICIES
from secure_mcp_gateway.store.document import email_key, normalised
from secure_mcp_gateway.store.server_checks import POLICY_OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document, Record

# Each table with its section, the field of its names, and what one of it is called.
TABLES = {
    "mcp_configs": ("configs", "mcp_config_name", "config"),
    "projects": ("projects", "project_name", "project"),
    "users": ("users", "email", "user"),
}


class Wanted:
    """One entry. ``record`` is the one of the store that has its name, or None; ``key`` the id that it has or will have. What the
    entry does not give is None and stays as it is; ``gives_config`` tells no config from none given."""

    __slots__ = ("config", "further", "gives_config", "key", "members", "name", "record", "servers")

    def __init__(self, key: str, name: str, record: Record | None, further: Record | None) -> None:
        self.key = key
        self.name = name
        self.record = record
        self.further = further
        self.servers: list[Record] | None = None
        self.members: list[str] | None = None
        self.config: str | None = None
        self.gives_config = False


class Setup:
    """By table what is wanted, by key, and the keys of what goes, by name. ``prune`` is whether anything may."""

    __slots__ = ("gone", "prune", "wanted", "warnings")

    def __init__(self, prune: bool) -> None:
        self.prune = prune
        self.wanted: dict[str, dict[str, Wanted]] = {table: {} for table in TABLES}
        self.gone: dict[str, dict[str, None]] = {table: {} for table in TABLES}
        self.warnings: list[str] = []


def read_setup(document: Document, call: Call, data: Any, prune: bool) -> Setup:
    """``InvalidRequest`` lists everything that is wrong with it, by its path."""
    reader = _SetupReader(document, call, prune)
    reader.read(_known_kind(unwrapped(data, "desired")))
    if reader.problems:
        rest = reader.count - len(reader.problems)
        more = [f"and {rest} more"] if rest else []
        raise InvalidRequest("this cannot be applied, nothing is changed: " + "; ".join([*reader.problems, *more]))
    return reader.setup


def _known_kind(data: Any) -> Record:
    if not isinstance(data, dict) or data.get("kind") != DESIRED_KIND:
        hint = "give what `system export-desired` wrote; a backup goes to `system restore`, a config to `config import`"
        raise InvalidRequest(f'data is no desired setup: it must be an object with "kind": "{DESIRED_KIND}"', hint)
    version = data.get("version")
    if version != DESIRED_VERSION or isinstance(version, bool):
        raise InvalidRequest(f"data.version must be {DESIRED_VERSION}: no other is known here", "apply it with the release that made it")
    return data


class _SetupReader(Reader):
    def __init__(self, document: Document, call: Call, prune: bool) -> None:
        super().__init__()
        self.setup = Setup(prune)
        self._document = document
        self._new_id = call.new_id
        # By table where each name stood, and the keys of names that come with the document.
        self._places: dict[str, dict[str, str]] = {table: {} for table in TABLES}
        self._new: dict[str, dict[str, str]] = {table: {} for table in TABLES}
        self._folded: dict[str, dict[str, str]] = {}

    def read(self, data: Record) -> None:
        """Projects last: they name what stands in the other sections."""
        self.entry(data, "", ("kind", "version", *SECTIONS))
        for at, value in enumerate(self._section(data, "mcp_configs")):
            self._config(value, f"configs[{at}]")
        for at, value in enumerate(self._section(data, "users")):
            self._user(value, f"users[{at}]")
        projects = []
        for at, value in enumerate(self._section(data, "projects")):
            given = self.entry(value, f"projects[{at}]", ("name", "config", "users", FURTHER))
            if given is not None:
                projects.append((given, f"projects[{at}]", self._wanted("projects", given, f"projects[{at}]", f"projects[{at}].name")))
        for table in TABLES:
            self._note_gone(data, table)
        for each in projects:
            self._assign(*each)
            self._fill(*each)
        self._refuse_taking_configs()

    def _section(self, data: Record, table: str) -> list[Any]:
        return self.entries(data, TABLES[table][0]) or []

    def _note_gone(self, data: Record, table: str) -> None:
        """Only of a section that is there: what the document does not speak of is not its business."""
        if self.setup.prune and TABLES[table][0] in data:
            wanted, name = self.setup.wanted[table], TABLES[table][1]
            gone = [(record[name], key) for key, record in self._document.table(table).items() if key not in wanted]
            self.setup.gone[table] = dict.fromkeys(key for _, key in sorted(gone))

    def _config(self, value: Any, where: str) -> None:
        given = self.entry(value, where, ("name", "servers", FURTHER))
        if given is not None:
            wanted = self._wanted("mcp_configs", given, where, f"{where}.name")
            wanted.servers = self._servers(given, where, wanted.record or {})

    def _servers(self, given: Record, where: str, config: Record) -> list[Record] | None:
        found = self.entries(given, "servers", f"{where}.")
        present = {server["server_name"]: server for server in config.get("mcp_config", ())}
        positions: dict[str, int] = {}
        servers = []
        for at, each in enumerate(found or ()):
            here = f"{where}.servers[{at}]"
            server = self.server(each, here, present)
            if server is None:
                continue
            first = positions.setdefault(server["server_name"], at)
            if first != at:
                self.report(f"{here}.server_name is the name of {where}.servers[{first}] too")
            servers.append(server)
            self.setup.warnings += [*server_doubts(server, here), *contradictions(server, here), *_without_meaning(server, here)]
        return None if found is None else servers

    def _user(self, value: Any, where: str) -> None:
        """An address alone, or an object with it."""
        if isinstance(value, str):
            self._wanted("users", {"email": value}, where, where)
        elif isinstance(value, dict):
            self._wanted("users", self.entry(value, where, ("email", FURTHER)) or value, where, f"{where}.email")
        else:
            self.report(f"{where} must be an e-mail address, or an object with one")

    def _wanted(self, table: str, given: Record, where: str, path: str) -> Wanted:
        """What is named at this path. One that cannot be used is not among those of the setup; what else stands in it is judged
        all the same."""
        further = self.further(given, where, own_fields(table))
        field = "email" if table == "users" else "name"
        text = given.get(field)
        if not isinstance(text, str):
            self.report(f"{path} must be a string" if field in given else f"{path} is missing")
            return Wanted("", "", None, further)
        key = key_by_name(self._document, table, text)
        record = self._document.get(table, key) if key is not None else None
        name = record[TABLES[table][1]] if record is not None else self._new_name(table, text, path)
        wanted = Wanted(key or self._new_id(), name or "", record, further)
        if name is not None and self._is_first(table, key or _form(table, name), path):
            self.setup.wanted[table][wanted.key] = wanted
            if key is None:
                self._new[table][_form(table, name)] = wanted.key
                self._warn_of_twin(table, name, path)
        return wanted

    def _new_name(self, table: str, text: str, path: str) -> str | None:
        try:
            return check_email(text, path) if table == "users" else check_name(text, path)
        except InvalidRequest as error:
            self.report(error.message)
            return None

    def _warn_of_twin(self, table: str, name: str, path: str) -> None:
        """A new name that differs only in case from one that there is may be a typing error; addresses have no case."""
        if table == "users":
            return
        if table not in self._folded:
            self._folded[table] = {each.casefold(): each for each in self._present(table)}
        twin = self._folded[table].setdefault(name.casefold(), name)
        if twin != name:
            self.setup.warnings.append(f"{path}: {quoted(name)} is another {TABLES[table][2]} than {quoted(twin)}: they differ in case")

    def _is_first(self, table: str, identity: str, path: str) -> bool:
        first = self._places[table].setdefault(identity, path)
        if first != path:
            self.report(f"{path} names the same as {first}")
        return first == path

    def _assign(self, value: Record, where: str, wanted: Wanted) -> None:
        if "config" not in value:
            return
        wanted.gives_config = True
        if value["config"] is not None:
            wanted.config = self._meant("mcp_configs", value["config"], f"{where}.config")

    def _fill(self, value: Record, where: str, wanted: Wanted) -> None:
        emails = self.entries(value, "users", f"{where}.")
        if emails is None:
            return
        positions: dict[str, int] = {}
        for at, email in enumerate(emails):
            key = self._meant("users", email, f"{where}.users[{at}]")
            if key is not None and positions.setdefault(key, at) != at:
                self.report(f"{where}.users[{at}] names the same as {where}.users[{positions[key]}]")
        wanted.members = list(positions)

    def _meant(self, table: str, text: Any, path: str) -> str | None:
        """The key of the config or user that is named."""
        section, _, kind = TABLES[table]
        if not isinstance(text, str):
            self.report(f"{path} must be a string")
            return None
        key = key_by_name(self._document, table, text) or self._new[table].get(_form(table, normalised(text)))
        if key is None:
            near = self._near(table, text)
            self.report(f"{path}: there is no {kind} {quoted(text)}, neither in `{section}` nor in the store{near}")
        elif key in self.setup.gone[table]:
            self.report(f"{path}: the {kind} {quoted(text)} is not in `{section}`, so it goes with prune")
        return key

    def _present(self, table: str) -> list[str]:
        """The names in the store."""
        return [record[TABLES[table][1]] for _, record in self._document.table(table).items()]

    def _near(self, table: str, text: str) -> str:
        if not self.may_compare(len(self._document.table(table))):
            return ""
        near = nearest(text, list(dict.fromkeys([*self._present(table), *(wanted.name for wanted in self.setup.wanted[table].values())])))
        return f": did you mean {quoted(near)}?" if near else ""

    def _refuse_taking_configs(self) -> None:
        """From projects that keep them: these would be left with none, which nobody said."""
        given_another = {key for key, wanted in self.setup.wanted["projects"].items() if wanted.gives_config}
        for config_id in self.setup.gone["mcp_configs"]:
            using = self._document.related("config_projects", config_id)
            kept = [each["project_name"] for key, each in using if key not in given_another and key not in self.setup.gone["projects"]]
            record = self._document.get("mcp_configs", config_id)
            if kept and record is not None:
                what = f"configs: {quoted(record['mcp_config_name'])} is not there, so it goes with prune, but it is the config of"
                self.report(f"{what} {quoted_list(kept)}: give them another, or name it")


def _form(table: str, name: str) -> str:
    """As names are compared that no record has yet."""
    return email_key(name) if table == "users" else name


def _without_meaning(server: Record, where: str) -> list[str]:
    """Further fields are kept as they are given: in a policy one may be a typing error, elsewhere one may be meant to restrict."""
    told = {policy: ("enabled", *POLICY_OPTIONS, *mistyped(server[policy])) for policy in POLICIES}
    pairs = [(policy, field) for policy in POLICIES for field in server[policy] if field not in told[policy]]
    mistaken = [f"{where}.{policy}.{field} is kept, but has no meaning here" for policy, field in pairs]
    further = further_of(server, SERVER_FIELDS)
    if not further:
        return mistaken
    from secure_mcp_gateway.store.restrictions import lost_restrictions

    return mistaken + lost_restrictions(f"{where}.{FURTHER}", further, ())

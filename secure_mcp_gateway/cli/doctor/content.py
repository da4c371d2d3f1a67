"""What stands in the store: sound records, keys that go on working, configs that can be used."""

from __future__ import annotations

from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding, Patient, flag, naming
from secure_mcp_gateway.repository.configs import config_issues
from secure_mcp_gateway.repository.key_secrets import is_active, is_expired
from secure_mcp_gateway.repository.names import NOUNS, counted, quoted, unfit_names
from secure_mcp_gateway.repository.system import tables_of
from secure_mcp_gateway.repository.views import is_member
from secure_mcp_gateway.store.check import content_problems, keys_of_nobody, place
from secure_mcp_gateway.store.clock import time_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_mcp_gateway.store.check import Content
    from secure_mcp_gateway.store.document import Document, Record

EXPIRES_DAYS = 14
# So many of a kind are said one by one.
_MOST = 5
_UNFIT = {
    "mcp_configs": "a name that could not be given today",
    "projects": "a name that could not be given today",
    "users": "an e-mail address that is none",
}


def limited(found: list[Finding], all_of_them: str) -> Iterator[Finding]:
    """The first few; where there are more, ``all_of_them`` is the command that lists them."""
    yield from found[:_MOST]
    more = found[_MOST:]
    if more:
        yield Finding(more[0].level, more[0].area, f"and {len(more)} more of this kind", all_of_them)


def _document(patient: Patient) -> Document:
    assert patient.document is not None
    return patient.document


def check_records(patient: Patient) -> Iterator[Finding]:
    document = _document(patient)
    content = tables_of(document)
    lost = keys_of_nobody(content)
    found = [*_without_their_config(patient, content), *_of_nobody(patient, content, lost)]
    advice = f"mend it in {patient.store.path} with an editor, while nothing else writes"
    found += [Finding(PROBLEM, "records", problem, advice=advice) for problem in content_problems(content, lost)]
    yield from limited(found, patient.command("system health-check"))
    if not found:
        count = sum(len(document.table(name)) for name in ("mcp_configs", "projects", "users", "members"))
        yield Finding(OK, "records", f"all references, names and types of {count} records are in order")


def _without_their_config(patient: Patient, content: Content) -> Iterator[Finding]:
    """Projects whose config is gone; from then on they are without one in ``content``."""
    for key, record in content["projects"].items():
        if record["mcp_config_id"] is not None and record["mcp_config_id"] not in content["mcp_configs"]:
            text = f"{place('projects', 0, key)}.mcp_config_id names a config that does not exist"
            yield Finding(PROBLEM, "records", text, patient.command("project unassign-config", flag("project-id", key)))
            content["projects"][key] = {**record, "mcp_config_id": None}


def _of_nobody(patient: Patient, content: Content, lost: set[str]) -> Iterator[Finding]:
    for position, (key, record) in enumerate(content["apikeys"].items()):
        if key in lost:
            text = f"{place('apikeys', position, key)}, {record['api_key_id']}, is of a user or for a project that does not exist"
            yield Finding(PROBLEM, "records", text, _on_key(patient, "delete-api-key", record))


def check_names(patient: Patient) -> Iterator[Finding]:
    """What an editor made of them, mostly: a name that is none cannot be typed, an address that is none is nobody's."""
    document = _document(patient)
    found = [_unfit(patient, *each) for each in unfit_names(document)]
    yield from limited(found, patient.command("system health-check"))
    if not found:
        yield Finding(OK, "names", f"of {counted(len(document.table('users')), 'user')}, and of all configs and projects, as they must be")


def _unfit(patient: Patient, table: str, key: str, name: str, problem: str) -> Finding:
    text = f"{NOUNS[table]} {quoted(name)} has {_UNFIT[table]}: it {problem}"
    if table == "projects":
        return Finding(WARNING, "names", text, advice=f"name it by its id, {key}; a project has no other name")
    verb, flag_name = ("user update", "--new-email ADDRESS") if table == "users" else ("config rename", "--new-name NAME")
    renamed = patient.command(verb, flag(f"{NOUNS[table]}-id", key), flag_name)
    return Finding(WARNING, "names", text, advice=f"give it a better one: {renamed}")


def check_admin_keys(patient: Patient) -> Iterator[Finding]:
    """The command line needs none; the API cannot be administered without one."""
    keys = [record for _, record in _document(patient).table("admin_keys").items()]
    working = [record for record in keys if is_active(record, patient.now)]
    new = patient.command("admin-key create", flag("name", _free_name({record["name"] for record in keys})))
    if not working:
        yield Finding(PROBLEM, "admin keys", "none works: nobody can administer the API", new)
        return
    for record in _ending_soon(working, patient.now):
        yield Finding(WARNING, "admin keys", f"{quoted(record['name'])} ends on {_day(record)}", new)
    yield Finding(OK, "admin keys", f"{counted(len(working), 'admin key')} in force")


def _free_name(taken: set[str]) -> str:
    return next(name for name in ("admin", *(f"admin-{number}" for number in range(2, len(taken) + 3))) if name not in taken)


def _day(record: Record) -> str:
    return str(record.get("expires_at"))[:10]


def _ending_soon(records: list[Record], now: str) -> list[Record]:
    """The first to end first."""
    end = time_after(now, EXPIRES_DAYS)
    return sorted((record for record in records if now < (record.get("expires_at") or "") <= end), key=_day)


def check_api_keys(patient: Patient) -> Iterator[Finding]:
    document, now = _document(patient), patient.now
    enabled = [record for _, record in document.table("apikeys").items() if not record.get("disabled")]
    listed = patient.command("user list-all-api-keys")
    soon = patient.command(f"user list-all-api-keys --expires-within-days {EXPIRES_DAYS}")
    yield from limited([_ending(patient, record) for record in _ending_soon(enabled, now)], soon)
    expired = [record for record in enabled if is_expired(record, now)]
    yield from limited([_expired(patient, record) for record in expired], listed)
    useless = [record for record in enabled if not is_member(document, record["project_id"], record["user_id"])]
    yield from limited([_useless(patient, record) for record in useless], listed)
    working = len(enabled) - len(expired)
    yield Finding(OK, "keys", f"{counted(working, 'API key')} in force")


def _ending(patient: Patient, record: Record) -> Finding:
    """Rotating keeps the end: a new one is needed."""
    email, project, key = _whose(patient, record)
    another = patient.command("user generate-api-key", email, project, "--expires-in-days 90")
    return Finding(WARNING, "keys", f"{key} ends on {_day(record)}", another)


def _expired(patient: Patient, record: Record) -> Finding:
    _, _, key = _whose(patient, record)
    return Finding(WARNING, "keys", f"{key} has expired ({_day(record)})", _on_key(patient, "delete-api-key", record))


def _useless(patient: Patient, record: Record) -> Finding:
    _, _, key = _whose(patient, record)
    text = f"{key} is enabled, but its user is not in its project: it opens nothing"
    return Finding(WARNING, "keys", text, _on_key(patient, "disable-api-key", record))


def _on_key(patient: Patient, verb: str, record: Record) -> str:
    return patient.command(f"user {verb}", flag("api-key", record["api_key_id"]))


def _whose(patient: Patient, record: Record) -> tuple[str, str, str]:
    """The flags that name its user and its project, and the key in words."""
    user = _document(patient).get("users", record["user_id"]) or {}
    project = _document(patient).get("projects", record["project_id"]) or {}
    email, name = user.get("email", ""), project.get("project_name", "")
    user_flag = flag("email", email) if email.isprintable() and email else flag("user-id", record["user_id"])
    words = f"the API key {record['api_key_id']} of {quoted(email)} in {quoted(name)}"
    return user_flag, naming("project", name, record["project_id"]) if name else flag("project-id", record["project_id"]), words


def check_configs(patient: Patient) -> Iterator[Finding]:
    document = _document(patient)
    unused: list[Finding] = []
    doubtful: list[Finding] = []
    for key, record in document.table("mcp_configs").items():
        name = naming("config", record["mcp_config_name"], key)
        words = f"config {quoted(record['mcp_config_name'])}"
        if not document.count("config_projects", key):
            fix = patient.command("config remove", name)
            unused.append(Finding(WARNING, "configs", f"{words} is used by no project", fix))
        validate = patient.command("config validate", name)
        doubtful += [
            Finding(WARNING, "configs", f"{words}: {issue}", advice=f"mend it with config update-server; this looks again: {validate}")
            for issue in config_issues(record["mcp_config"])
        ]
    yield from limited(doubtful, patient.command("system health-check"))
    yield from limited(unused, patient.command("config list"))
    used = len(document.table("mcp_configs")) - len(unused)
    yield Finding(OK, "configs", f"{counted(used, 'config')} in use")


def check_projects(patient: Patient) -> Iterator[Finding]:
    document = _document(patient)
    without_config: list[Finding] = []
    without_users: list[Finding] = []
    for key, record in document.table("projects").items():
        name, words = naming("project", record["project_name"], key), f"project {quoted(record['project_name'])}"
        if record["mcp_config_id"] is None:
            without_config.append(_without_config(patient, f"{words} has no config: its users reach nothing", name))
        if not document.count("project_members", key):
            advice = f"put somebody into it: {patient.command('project add-user', name, '--email ADDRESS')}"
            without_users.append(Finding(WARNING, "projects", f"{words} has no users", advice=advice))
    listed = patient.command("project list")
    yield from limited(without_config, listed)
    yield from limited(without_users, listed)
    if not without_config and not without_users:
        yield Finding(OK, "projects", f"{counted(len(document.table('projects')), 'project')} with config and users")


def _without_config(patient: Patient, text: str, project: str) -> Finding:
    """Where there is no choice the command says which."""
    configs = _document(patient).table("mcp_configs").page(limit=2)
    if len(configs) == 1:
        config = naming("config", configs[0][1]["mcp_config_name"], configs[0][0])
        return Finding(WARNING, "projects", text, patient.command("project assign-config", project, config))
    assign = patient.command("project assign-config", project, "--config-name NAME")
    return Finding(WARNING, "projects", text, advice=f"give it one: {assign}")

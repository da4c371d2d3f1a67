"""The words of ``help``: what a noun is, what an exit code means, and short pages on what one has to know."""

from __future__ import annotations

from textwrap import fill

from secure_mcp_gateway.cli.environment import SETTINGS, server_settings

NOUNS = {
    "generate-config": "Make the store, with an admin key that is shown once",
    "whoami": "Show who calls, and until when",
    "apply": "Make the store as one document says",
    "config": "Named sets of MCP servers, and settings",
    "project": "Groups of users who share one config",
    "user": "People and agents, and their API keys",
    "admin-key": "Secrets that may do everything over the API",
    "system": "The store as a whole, the audit, the server",
    "completion": "Have a shell complete words, names and ids on Tab",
    "help": "Help on a command or a topic",
}

EXIT_CODES = {
    0: "done",
    1: "unexpected",
    2: "wrong usage or invalid input",
    3: "not found",
    4: "conflict: the name is taken, or the thing is in use",
    5: "not allowed",
    6: "store missing, busy, damaged or unreadable; server not reached",
    130: "interrupted",
}

# What stands where the store does; the store's own file may be called otherwise.
FILES = {
    "~/.secure-mcp-gateway/store.json": "the store, where no other is named",
    "store.json.lock": "whose turn it is to write; never removed",
    "audit.jsonl": "the audit: one line for each write",
    "backups/": "the last ten safety backups",
    "files/": "exports, and files named in requests",
    "servers/": "which servers run on the store",
    "admin-key.txt": "the first admin key, where a server made the store",
}

MANUAL = "man"
TOPICS = {
    "configs": """
A config is a named set of MCP servers. Each server has a command (with
arguments and environment) or a URL (with headers), never both.

Which of its tools may be called is said by --tools: {} allows all; else only
the names in it, unless {"enabled": false}. --denied-tools refuses tools
whatever --tools says. Names are compared exactly. What else in a tool's object
says that it is off, as "disabled" or a mistyped "enabled", is refused.

  secure-mcp-gateway config add --config-name research
  secure-mcp-gateway config add-server --config-name research \\
      --server-name files --server-command npx --args="-y,@scope/server" \\
      --tools '{"read_file": "Reads", "write_file": {"enabled": false}}'
  secure-mcp-gateway config validate --config-name research

--args and --denied-tools take texts with commas between them, or a JSON list;
given twice or more, each is one literal text. JSON flags take JSON, or @FILE.
""",
    "moving": """
The servers that Claude Desktop, Claude Code, Cursor, VS Code, Windsurf, Zed,
Gemini CLI or Codex CLI already have become a config, and a config becomes the
file of one of them. Whose file it is, is told by its content and its name;
where neither says it, or it comes from standard input (--from -), by --client.

  secure-mcp-gateway config discover
  secure-mcp-gateway config import --from .mcp.json --config-name team --dry-run
  secure-mcp-gateway config import --from .mcp.json --config-name team \\
      --secrets-as-env
  secure-mcp-gateway config export --config-name team --as vscode \\
      --output-file mcp.json

discover looks where clients keep their files, in the home folder and in the
current one, and says which command to go on with. An import takes a file whole
or not at all and lists every problem at once. Servers that are switched off are
left out; lists of tools are kept; a server's restriction that cannot be kept is
refused, and of what holds for all servers alike there is a warning.
In names each run of other characters than letters, digits and _ . - becomes -.

A secret that stands in the file would stand in the store: each is pointed out
by its server and variable. ${env:NAME} and ${file:PATH} in its place are stored
as they are written, for the gateway to resolve. --secrets-as-env puts
${env:NAME} in the place of those in env and headers. What clients write as
${NAME}, $NAME or ${input:ID} becomes ${env:NAME} where it means that.

What a client's format cannot say, guardrails above all, is a warning of the
export. Such a file is never written over one that is there but by --overwrite.
""",
    "projects": """
A project is a group of users who share one config.

  secure-mcp-gateway project create --project-name research
  secure-mcp-gateway project assign-config --project-name research \\
      --config-name research
  secure-mcp-gateway user create --email ada@example.com
  secure-mcp-gateway project add-user --project-name research \\
      --email ada@example.com

Things are named by their name or their id: --config-name or --config-id,
--project-name or --project-id, --email or --user-id.
""",
    "keys": """
An API key is the secret of one user in one project (smg_...). An admin key
(smga_...) may do everything over the API. Both are shown once, when they are
made or rotated: the store keeps only their SHA-256 digest.

  secure-mcp-gateway user generate-api-key --email ada@example.com \\
      --project-name research --expires-in-days 90
  secure-mcp-gateway user list-all-api-keys --expires-within-days 14
  secure-mcp-gateway user rotate-api-key --api-key key_0123456789abcdef

Every key has a public id (key_..., adm_...) that names it wherever a key is
asked for. A secret can always be given as - and is then read from standard
input, so that it stands in no shell history.
""",
    "guardrails": """
A server has three policies: for what goes in, for what comes out, and for the
descriptions of its tools. Each is {"enabled": true|false, "policy_name": ...,
"block": [...], "additional_config": {...}}.

  secure-mcp-gateway config update-server-input-guardrails \\
      --config-name research --server-name files \\
      --policy '{"enabled": true, "block": ["pii"]}'
  secure-mcp-gateway config update-server-guardrails --config-name research \\
      --server-name files --input-policy @in.json --output-policy-file out.json
""",
    "files": """
Files are read and written by the command itself, relative to the current
folder. They are written with mode 0600, whole or not at all, never through a
symbolic link, never into the store's own folder but its files/, and never over
a file that is not an earlier export, unless --overwrite is given. What is read
must be a regular file of at most 64 MiB; - is standard input or output.

  secure-mcp-gateway config export --config-name research --output-file r.json
  secure-mcp-gateway config import --config-name copy --input-file r.json
  secure-mcp-gateway system backup --output-file backup.json
""",
    "store": """
The store is one JSON file: --store FILE, else $SECURE_MCP_GATEWAY_STORE, else
~/.secure-mcp-gateway/store.json. Who can read and write it is its
administrator; the command line asks for no key. Any number of commands and
servers may use it at once.

  secure-mcp-gateway generate-config
  secure-mcp-gateway system health-check
  secure-mcp-gateway system doctor
  secure-mcp-gateway system backup --output-file backup.json
  secure-mcp-gateway system restore --input-file backup.json --dry-run

health-check looks at the store alone; doctor also at the machine, the lock,
ports, keys about to end, what nobody uses and servers that cannot start here,
each with the command that mends it, to be pasted as it is, or where none can
with what to do. It changes nothing, and works on a store that is missing,
damaged or locked too.

Before a restore, a reset or a new store in the place of the old, a safety
backup goes to backups/ beside the store; the last ten are kept. Beside it stand:

"""
    + "".join(f"  {name:<18} {text}\n" for name, text in FILES.items() if "store.json" not in name or name.endswith("lock")),
    "remote": """
Every command on configs, projects, users, keys and the store as a whole also
works through the API of a server, with the same output and exit codes.

  export SECURE_MCP_GATEWAY_SERVER=https://gateway.example.com:8001
  export SECURE_MCP_GATEWAY_API_KEY_FILE=~/.smg-key
  secure-mcp-gateway config list
  secure-mcp-gateway system backup --output-file backup.json

--server URL goes before the environment, and so does --store FILE. The key is
$SECURE_MCP_GATEWAY_API_KEY, or stands in a file that only you can read (0600):
--api-key-file FILE, or $SECURE_MCP_GATEWAY_API_KEY_FILE. Files are read and
written where the command runs.

A certificate that the system does not trust needs its CA: --ca-file FILE, or
$SECURE_MCP_GATEWAY_CA_FILE. Nothing switches the check off. A server that was
started with --tls-client-ca wants to see a certificate of yours: --client-cert
FILE and --client-key FILE, or $SECURE_MCP_GATEWAY_CLIENT_CERT and ..._KEY; the
key, without a passphrase and readable by you alone, may stand in the same file.
No proxy of the environment is used and no redirect followed. Name a key by its
public id: its secret would stand in the URL, which proxies log.

A connection that breaks during a write leaves open whether it was made: read
before you repeat it. What needs the store itself (generate-config, start-api,
stop-api, system audit --verify) runs on the server's machine.
""",
    "audit": """
Every write, backup, export and refused write is one line in audit.jsonl beside
the store, chained to the one before by SHA-256.

  secure-mcp-gateway system audit --limit 20
  secure-mcp-gateway system audit --actor ada --since 2026-01-31
  secure-mcp-gateway system audit --verify

--verify walks the whole chain, names the first line that is not as it was
written, and exits 1 then. The chain convinces against tampering by others, not
by the store's owner, who can write both anew.
""",
    "desired": """
A whole setup can be kept as one document, in git for example, and applied: what
differs is said first, then the store is made so in one write. Applied again it
changes nothing.

  secure-mcp-gateway system export-desired --output-file desired.json
  secure-mcp-gateway apply --file desired.json --dry-run
  secure-mcp-gateway apply --file desired.json --prune

{"kind": "secure-mcp-gateway/desired", "version": 1,
 "configs": [{"name": "research", "servers": [
   {"server_name": "files", "config": {"command": "npx", "args": ["-y"]}}]}],
 "projects": [{"name": "research", "config": "research",
               "users": ["ada@example.com"]}],
 "users": ["ada@example.com"]}

What the document does not name stays. With --prune what is not in a list that
is there goes: configs, servers of a config, projects, members, users, and with
these their API keys, each counted. A list or a config that is left out is not
touched; "config": null takes it away. A server is whole: a field left out has
its default. The order of servers does not matter, and the name is what a thing
is known by: rename it with its command first.

Keys and settings are never in it; environment and headers of servers are, so
the file is written with mode 0600. Fields that a record keeps without a meaning
here stand in "further". Nothing is asked before it is done: --dry-run says the
same beforehand. Where anything is changed or removed, a safety backup is made
first, which system restore brings back, API keys too.
""",
    "service": """
What a server does not need can be taken away from it. Each flag is also
$SECURE_MCP_GATEWAY_<FLAG>, such as SECURE_MCP_GATEWAY_READ_ONLY=1.

--read-only serves reads alone and refuses every write, export and backup. It
writes nothing beside the store, no audit line and no note for stop-api either,
so the store may lie on a read-only mount. It still runs as the store's owner.

--tls-client-ca FILE (with --tls-cert and --tls-key) lets in only clients with
a certificate of that CA: any other one gets no HTTP at all. A key is needed all
the same. SIGHUP reads the file again.

--paranoid makes the server refuse itself what serving does not take: to call or
look up others, to listen elsewhere, to start processes, to run or import code
that is neither its own nor Python's, to write outside the store's folder and
--files-root (files/ beside the store where that is not given). An attempt is
logged with an incident, its request gets 500, the server lives on. It is a net
under faults of ours and a witness, no sandbox.

Under a service manager it serves on the one TCP socket that is handed over
(LISTEN_FDS), without --host and --port, and leaves it open when it ends: who
calls during a restart waits. It tells $NOTIFY_SOCKET when it serves, reads its
TLS files again, and stops.

--workers N has N processes serve on one socket, where one core is not enough.
One that dies is replaced, a signal to the first process reaches all of them,
and --max-connections counts in each.

  secure-mcp-gateway system start-api --host 127.0.0.1 --read-only --paranoid
""",
    "environment": "A flag wins over its variable.\n\n"
    + "".join(
        f"{name}\n{fill(text, 76, initial_indent='    ', subsequent_indent='    ', break_on_hyphens=False)}\n"
        for name, text in SETTINGS.items()
    )
    + "\nOf system start-api:\n\n"
    + "".join(f"  {name:<35} {flag}\n" for name, flag in server_settings().items()),
    "exit-codes": "\n".join(f"{code:>3}  {text}" for code, text in EXIT_CODES.items())
    + '\n\n1 is also "no": an invalid config (config validate), an unhealthy store (system\n'
    + "health-check), a problem (system doctor), a broken chain (system audit --verify).",
}

"""``completion bash|zsh|fish``: the script that has a shell call the hidden command, and takes its answers as texts, never as code."""

from __future__ import annotations

from secure_mcp_gateway.cli.arguments import PROGRAM, as_started
from secure_mcp_gateway.cli.commands import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.cli.commands import Invocation

# What the shell is to be told, in its own words, at every start.
_INSTALLED = {
    "bash": f"""echo 'eval "$({PROGRAM} completion bash)"' >> ~/.bashrc""",
    "zsh": f"""echo 'eval "$({PROGRAM} completion zsh)"' >> ~/.zshrc""",
    "fish": f"echo '{PROGRAM} completion fish | source' \\\n      >> ~/.config/fish/config.fish",
}

# The answers are quoted already. Bash 3 has no compopt.
_BASH = r"""_secure_mcp_gateway() {
    local line kind=''
    COMPREPLY=()
    while IFS= read -r line; do
        if [ -z "$kind" ]; then kind=$line; else COMPREPLY+=("$line"); fi
    done < <(@PROGRAM@ __complete bash "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null </dev/null)
    case $kind in
        files) compopt -o default 2>/dev/null ;;
        open) compopt -o nospace 2>/dev/null ;;
    esac
}
complete -F _secure_mcp_gateway secure-mcp-gateway
"""

# compadd quotes what it inserts.
_ZSH = r"""(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_secure_mcp_gateway() {
    local line text said
    local -a answer texts shown
    answer=("${(@f)$(@PROGRAM@ __complete words "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}")
    if [[ $answer[1] == files* ]]; then
        compset -P 1 '--*='
        _files
        return
    fi
    for line in "${(@)answer[2,-1]}"; do
        text=${line%%$'\t'*}
        said=${line#*$'\t'}
        texts+=("$text")
        shown+=("$text${said:+  -- $said}")
    done
    (( $#texts )) || return 1
    if [[ $#texts == 1 && $texts[1] == */ ]]; then
        compadd -S '' -a texts
    else
        compadd -l -d shown -a texts
    fi
}
compdef _secure_mcp_gateway secure-mcp-gateway
"""

# fish quotes what it inserts, too. It does not tell of the word at the cursor what stands without its quotes, up to fish 3.6 at least.
_FISH = r"""function __secure_mcp_gateway
    set -l before (commandline -opc)
    set -l raw (commandline -ct)
    set -l current (string unescape -- "$raw"; or printf '%s\n' "$raw")
    set -l answer (@PROGRAM@ __complete words $before[2..-1] "$current" 2>/dev/null </dev/null)
    set -q answer[1]; or return
    set -l kind (string split \t $answer[1])
    if test "$kind[1]" = files
        # As it stands, with its quotes and ~; the prefix has none.
        for path in (complete -C "'' "(string sub -s (math 1 + (string length -- "$kind[2]")) -- "$raw"))
            printf '%s%s\n' "$kind[2]" $path
        end
    else if set -q answer[2]
        printf '%s\n' $answer[2..-1]
    end
end
complete -c secure-mcp-gateway -f -a '(__secure_mcp_gateway)'
"""


def bash() -> Command:
    return _command("bash", _BASH)


def zsh() -> Command:
    return _command("zsh", _ZSH)


def fish() -> Command:
    return _command("fish", _FISH)


def _command(shell: str, script: str) -> Command:
    def run(invocation: Invocation) -> int:
        invocation.output.text("script", script.replace("@PROGRAM@", as_started()).rstrip("\n"))
        return 0

    notes = (f"To have it in every new {shell}:", _INSTALLED[shell])
    return Command(f"completion {shell}", f"Print the script for {shell}", (), run, notes=notes)

# bash completion for thermogate(1). The program's own help says what there is.
# shellcheck shell=bash

# The lines of the help, each up to the words about it: "rules mute RULE [--for DURATION]".
_thermogate_usages() {
    "$1" --help 2>/dev/null | sed -n 's/^  \([a-z].*\)$/\1/p' | sed 's/  .*//'
}

# What may stand in place of RULE or NAME, from the gateway that runs or the program.
_thermogate_operands() {
    case $2 in
    *' RULE'* | *' INSTANCE'*)
        "$1" rules list --json 2>/dev/null | grep -o '"id":"[^"]*"' | cut -d '"' -f 4
        ;;
    'templates show'*) "$1" templates list 2>/dev/null | awk '{ print $1 }' ;;
    esac
}

_thermogate() {
    local program=$1 current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local usages usage typed words=
    usages=$(_thermogate_usages "$program")
    typed="${COMP_WORDS[*]:1:COMP_CWORD - 1}"

    if [ "$before" = --config ] || [ "$before" = --socket ] || [ "$before" = --template ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
    fi
    # Commands of which the next word is still open.
    words=$(awk -v typed="${typed:+$typed }" 'index($0, typed) == 1 {
        rest = substr($0, length(typed) + 1); split(rest, word, " ")
        if (word[1] ~ /^[a-z]/) print word[1] }' <<<"$usages")
    if [ -z "$words" ]; then
        usage=$(awk -v typed="$typed " '{ name = $0; sub(/ [^a-z].*/, "", name) }
            index(typed, name " ") == 1' <<<"$usages")
        words="$(grep -o -- '--[a-z]*' <<<"$usage") --json --socket --verbose --help"
        if [[ $current != -* ]]; then
            words=$(_thermogate_operands "$program" "$usage")
            [[ $usage != *FILE* ]] || words+=" $(compgen -f -- "$current")"
        fi
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o filenames -F _thermogate thermogate

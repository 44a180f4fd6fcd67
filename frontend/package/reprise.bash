# Completion of reprise's command line for bash. What can be said is asked of the program, so it is always true.

# Words that begin with a dash in the help text of "$@".
_reprise_options() {
    "$@" 2>/dev/null | sed -n 's/^  \(-[^ =]*\).*/\1/p; s/^  -[^-], \(--[^ =]*\).*/\1/p'
}

# First words of the lines that a list command prints, such as 'reprise -cpu help'.
_reprise_list() {
    "$@" 2>/dev/null | sed -n 's/^ *\([A-Za-z0-9_.-]*[A-Za-z0-9]\)\( .*\|$\)/\1/p'
}

_reprise() {
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local verb=${COMP_WORDS[1]} choices=""
    COMPREPLY=()
    case $verb in
    image)
        if [ "$COMP_CWORD" -eq 2 ]; then
            choices=$("$program" image --help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')
        elif [ "${word#-}" != "$word" ]; then
            choices=$(_reprise_options "$program" image "${COMP_WORDS[2]}" --help)
        fi
        ;;
    test)
        if [ "${word#-}" != "$word" ]; then
            choices="$(_reprise_options "$program" test --help) $(_reprise_options "$program" -help)"
        fi
        ;;
    *)
        case $before in
        -cpu | -device | -accel) choices=$(_reprise_list "$program" "$before" help) ;;
        *)
            if [ "${word#-}" != "$word" ]; then
                choices=$(_reprise_options "$program" -help)
            elif [ "$COMP_CWORD" -eq 1 ]; then
                choices="demo image test lockstep"
            fi
            ;;
        esac
        ;;
    esac
    if [ -n "$choices" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
    fi
}
complete -o bashdefault -o default -F _reprise reprise

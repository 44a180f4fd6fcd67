#compdef reprise
# Completion of reprise's command line for zsh. What can be said is asked of the program, so it is always true.

# "NAME:TEXT" of each option in the help text of "$@".
_reprise_options() {
    "$@" 2>/dev/null | sed -n 's/^  \(-[^ =,]*\)[^ ]* *\([^ ].*\)\{0,1\}$/\1:\2/p'
}

_reprise() {
    local -a choices
    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
        choices=(demo:'the demo disk' image:'image files' test:'test scripts' lockstep:'compare two backends')
    elif [[ $words[2] == image ]] && (( CURRENT == 3 )); then
        choices=(${(f)"$($words[1] image --help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')"})
    elif [[ $words[CURRENT] == -* ]]; then
        case $words[2] in
        image) choices=(${(f)"$(_reprise_options $words[1] image $words[3] --help)"}) ;;
        test) choices=(${(f)"$(_reprise_options $words[1] test --help)"} ${(f)"$(_reprise_options $words[1] -help)"}) ;;
        *) choices=(${(f)"$(_reprise_options $words[1] -help)"}) ;;
        esac
    fi
    if (( $#choices )); then _describe reprise choices; fi
    [[ $words[CURRENT] == -* ]] || _files
}

_reprise "$@"

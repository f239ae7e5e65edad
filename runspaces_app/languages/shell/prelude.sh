# What a shell script can say to Taskhub: each call writes one line of JSON to descriptor 3.
#
#   progress 40 "Copying"      percent and message; either may stand alone
#   result "text"              the job's result, a text
#   result --json '{"a": 1}'   the job's result, any JSON
#   emit "a" "b"               adds texts to a list result; --json as above
#
# POSIX shell only, and read in a subshell by the functions of start.sh: what is set here touches no script.

_taskhub_progress() {
    percent= message=
    case $#:${1-} in
        1:-|1:|0:) ;;
        1:*) if percent=$(_taskhub_number "$1"); then :; else message=$1; fi ;;
        2:-|2:) message=$2 ;;
        2:*) percent=$(_taskhub_number "$1") && message=$2 || { set --; } ;;
        *) set -- ;;
    esac
    if [ $# -eq 0 ] || [ -z "$percent$message" ]; then
        echo 'progress: expected PERCENT, MESSAGE, or PERCENT MESSAGE' >&2
        exit 2
    fi
    line=
    [ -z "$percent" ] || line="\"progress\": $percent"
    [ -z "$message" ] || line="$line${line:+, }\"message\": $(_taskhub_quote "$message")"
    printf '{%s}\n' "$line" >&3
}

_taskhub_result() {
    json=
    [ "${1-}" != --json ] || { json=1; shift; }
    [ "${1-}" != -- ] || shift
    if [ $# -ne 1 ]; then
        echo 'result: expected [--json] VALUE' >&2
        exit 2
    fi
    _taskhub_say result "$json" "$1"
}

_taskhub_emit() {
    json=
    [ "${1-}" != --json ] || { json=1; shift; }
    [ "${1-}" != -- ] || shift
    if [ $# -eq 0 ]; then
        echo 'emit: expected [--json] VALUE...' >&2
        exit 2
    fi
    for value in "$@"; do
        _taskhub_say emit "$json" "$value" || exit
    done
}

# NAME, "1" if the value is JSON, VALUE
_taskhub_say() {
    if [ -n "$2" ]; then
        # In JSON a line feed can only be white space.
        value=$(_taskhub_replace "$3" _taskhub_blank)
    else
        value=$(_taskhub_quote "$3")
    fi
    printf '{"%s": %s}\n' "$1" "$value" >&3
}

# Prints a number as JSON wants it (no leading zero, a digit on both sides of the point); 1: it is none.
_taskhub_number() {
    sign= whole=$1 part=
    case $whole in
        -*) sign=- whole=${whole#-} ;;
        +*) whole=${whole#+} ;;
    esac
    case $whole in
        ''|.|*[!0123456789.]*|*.*.*) return 1 ;;
        *.*) part=${whole#*.} whole=${whole%%.*} ;;
    esac
    while :; do
        case $whole in
            0?*) whole=${whole#0} ;;
            *) break ;;
        esac
    done
    printf '%s' "$sign${whole:-0}${part:+.$part}"
}

# Prints any text as a JSON string. Bytes from 128 on stay as they are.
#
# Work grows with the length of the text alone: a shell that cuts one piece after the other off a
# long variable copies the rest each time. So backslashes and quotes are doubled by field splitting,
# which is one pass, and what is left goes line by line.
_taskhub_quote() (
    LC_ALL=C
    text=$1
    case $text in
        *\\*) text=$(_taskhub_escape "$text" \\) text=${text%.\\\\} ;;
    esac
    case $text in
        *\"*) text=$(_taskhub_escape "$text" \") text=${text%.\\\"} ;;
    esac
    printf '"'
    case $text in
        *[[:cntrl:]]*) _taskhub_replace "$text" _taskhub_control ;;
        *) printf '%s' "$text" ;;
    esac
    printf '"'
)

# TEXT, CHARACTER: prints the text and a dot, a backslash before each such character and one pair more.
# The dot keeps an empty last field, which splitting would drop.
_taskhub_escape() (
    set -f
    IFS=$2
    set -- "$2" $1.
    character=$1
    shift
    case $character in
        \\) printf '%s\\\\' "$@" ;;
        *) printf '%s\\"' "$@" ;;
    esac
)

# TEXT, FUNCTION: hands each line to the function, with a 1 for all but the last.
_taskhub_replace() (
    case $1 in
        *"$_taskhub_newline"*)
            while IFS= read -r line; do
                "$2" "$line" 1
            done <<TASKHUB
${1%"$_taskhub_newline"*}
TASKHUB
            ;;
    esac
    "$2" "${1##*"$_taskhub_newline"}" ''
)

_taskhub_blank() {
    printf '%s' "$1${2:+ }"
}

# LINE, "1" if a line feed follows: prints it with its control characters escaped.
_taskhub_control() {
    rest=$1
    while :; do
        case $rest in
            *[[:cntrl:]]*) ;;
            *) break ;;
        esac
        head=${rest%%[[:cntrl:]]*}
        rest=${rest#"$head"}
        tail=${rest#?}
        printf '%s\\u%04x' "$head" "'${rest%"$tail"}"
        rest=$tail
    done
    printf '%s' "$rest${2:+\\n}"
}

_taskhub_newline='
'

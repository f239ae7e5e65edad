# Gives the script its functions, after handing over to the shell that the script's first line names,
# if it is another one that understands the prelude.
#
#   $0  the script         $1  this file          $2  set once the shell is the right one

if [ -z "${2-}" ]; then
    IFS= read -r _taskhub_first < "$0" || :
    case $_taskhub_first in
        '#!'*)
            set -f
            set -- "$1" ${_taskhub_first#??}
            set +f
            _taskhub_start=$1
            shift
            [ "${1##*/}" != env ] || shift
            case $#:${1##*/}:${2-} in
                [12]:*:*[!-aefhmuvxC]* | 2:*:- | 2:*:[!-]*) ;;
                1:sh: | 2:sh:-*)
                    [ $# -lt 2 ] || set "$2"
                    ;;
                [12]:dash:* | [12]:bash:* | [12]:ksh:* | [12]:mksh:*)
                    ! command -v "${1##*/}" > /dev/null ||
                        exec "${1##*/}" ${2+"$2"} -c '. "$1"; shift $#; . "$0"' "$0" "$_taskhub_start" chosen
                    ;;
            esac
            set -- "$_taskhub_start"
            unset _taskhub_start
            ;;
    esac
    unset _taskhub_first
fi

# The prelude is read by the call that needs it: most scripts make none, and to read it takes a shell a
# quarter as long as to start. The bodies are subshells, so that no variable, option or IFS of the script
# is touched; they switch off what the script may have switched on (set -e, -u, -v, -x, aliases of names).
_taskhub_prelude=${1%/*}/prelude.sh
progress() ( { set +vx; } 2>/dev/null; set +eu; unalias -a; . "$_taskhub_prelude"; _taskhub_progress "$@" )
result() ( { set +vx; } 2>/dev/null; set +eu; unalias -a; . "$_taskhub_prelude"; _taskhub_result "$@" )
emit() ( { set +vx; } 2>/dev/null; set +eu; unalias -a; . "$_taskhub_prelude"; _taskhub_emit "$@" )

# Reads the prelude, after handing over to the shell that the script's first line names, if it is
# another one that understands the prelude.
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
. "${1%/*}/prelude.sh"

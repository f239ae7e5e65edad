"""Compile the text on stdin as Python and say on stdout, in JSON, what was wrong; null: nothing."""

import json
import sys


def main() -> None:
    answer = None
    try:
        text = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
        compile(text, "<script>", "exec", dont_inherit=True)
    except SyntaxError as error:
        answer = {"type": type(error).__name__, "message": error.msg, "line": error.lineno}
    except (ValueError, OverflowError, MemoryError, RecursionError) as error:
        answer = {
            "type": type(error).__name__,
            "message": str(error) or "too much for the compiler",
            "line": None,
        }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()

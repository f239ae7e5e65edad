"""Make a C# program of a script. Standard library only.

A script is a list of statements, as in the top-level statements of C# 9: first `using` lines, then
statements, which may await, then types, each beginning at the start of a line. A text with a `Main`
of its own is a whole program. Lines keep their numbers in messages.
"""

import re

_USINGS = """using System; using System.Collections.Generic; using System.IO; using System.Linq;
using System.Text; using System.Threading; using System.Threading.Tasks; using static TaskhubPrelude;"""
_ENTRY = """
#line hidden
static class TaskhubEntry { static int Main(string[] args) { return TaskhubPrelude.Run(() => %s); } }
"""
_MAIN = re.compile(r"\bstatic\s+(?:async\s+)?(?:void|int|Task(?:\s*<\s*int\s*>)?)\s+Main\s*\(")
_USING = re.compile(r"\s*using\s+(?:static\s+)?[\w.]+(?:\s*=[^;(]+)?;\s*(?://.*)?$")
_BLANK = re.compile(r"\s*(?://.*|#!.*)?$")
_TYPE = re.compile(
    r"(?:\[\w|namespace\s|(?:(?:public|internal|abstract|sealed|static|partial|unsafe|readonly)\s+)*"
    r"(?:class|struct|interface|enum|delegate|record)\s)"
)


def program(code: str) -> str:
    """The text of the program; the prelude is a file of its own beside it."""
    if code.startswith("#!"):
        code = "//" + code[2:]
    if _MAIN.search(code):
        # `using static` has to come before the script's own namespaces and types, after its own usings.
        return f'{_USINGS}\n#line 1 "script.cs"\n{code}\n' + _ENTRY % (
            "TaskhubPrelude.CallMain(typeof(TaskhubEntry), args)"
        )
    lines = code.split("\n")
    head = next(
        (at for at, line in enumerate(lines) if not _USING.match(line) and not _BLANK.match(line)), len(lines)
    )
    tail = next((at for at in range(head, len(lines)) if _TYPE.match(lines[at])), len(lines))
    usings, body, types = ("\n".join(part) for part in (lines[:head], lines[head:tail], lines[tail:]))
    return f"""{_USINGS}
#line 1 "script.cs"
{usings}
#line hidden
static class TaskhubScript {{
public static async Task<int> Body(string[] args) {{
await Task.CompletedTask;
#line {head + 1} "script.cs"
{body}
#line hidden
return 0;
}} }}
#line {tail + 1} "script.cs"
{types}
{_ENTRY % "TaskhubScript.Body(args)"}"""

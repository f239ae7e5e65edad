"""Make a program of VB.NET of a script. Standard library only.

A script is `Imports` lines, then statements; a text with a `Sub Main` or `Function Main` of its own is
a whole program. Lines keep their numbers in messages.
"""

import re

_IMPORTS = """Option Infer On
Imports System
Imports System.Collections.Generic
Imports System.IO
Imports System.Linq
Imports System.Threading
Imports System.Threading.Tasks
Imports TaskhubPrelude"""
_ENTRY = """
Public Module TaskhubEntry
Public Function Main(args As String()) As Integer
Return TaskhubPrelude.Run(Function() %s)
End Function
End Module
"""
_MAIN = re.compile(
    r"^\s*(?:(?:public|shared|friend|private)\s+)*(?:sub|function)\s+main\b", re.IGNORECASE | re.MULTILINE
)
_IMPORT = re.compile(r"\s*(?:imports|option)\s.*$", re.IGNORECASE)
_BLANK = re.compile(r"\s*(?:'.*)?$")


def program(code: str) -> str:
    """The text of the program; the prelude is a library beside it."""
    if _MAIN.search(code):
        call = "TaskhubPrelude.CallMain(GetType(TaskhubEntry), args)"
        return f'{_IMPORTS}\n#ExternalSource("script.vb", 1)\n{code}\n#End ExternalSource\n{_ENTRY % call}'
    lines = code.split("\n")
    head = next(
        (at for at, line in enumerate(lines) if not _IMPORT.match(line) and not _BLANK.match(line)),
        len(lines),
    )
    imports, body = "\n".join(lines[:head]), "\n".join(lines[head:])
    return f"""{_IMPORTS}
#ExternalSource("script.vb", 1)
{imports}
#End ExternalSource
Public Module TaskhubScript
Public Function Body(args As String()) As Integer
#ExternalSource("script.vb", {head + 1})
{body}
#End ExternalSource
Return 0
End Function
End Module
{_ENTRY % "Task.FromResult(TaskhubScript.Body(args))"}"""

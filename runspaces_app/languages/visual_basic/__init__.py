"""VB.NET: by the SDK of .NET, or by a compiler beside mono."""

from ..net import NetLanguage


class VisualBasic(NetLanguage):
    name = "vbnet"
    label = "VB.NET"
    suffix = ".vb"
    short = "VB"
    programs = ("dotnet", "vbc", "vbnc")
    compilers = ("vbc", "vbnc")
    install = "the .NET SDK, or mono with vbc or vbnc"
    snippet = """Dim steps = 4
For count = 1 To steps
    Progress(count * 100 / steps, "Step " & count)
    Console.WriteLine("step " & count)
    Thread.Sleep(500)
Next
Result(New With {.steps = steps})
"""

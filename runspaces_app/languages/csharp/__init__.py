"""C#: by the SDK of .NET, or by mono's compiler."""

from ..net import NetLanguage


class CSharp(NetLanguage):
    name = "csharp"
    label = "C#"
    suffix = ".cs"
    short = "C#"
    programs = ("dotnet", "mcs")
    compilers = ("mcs",)
    install = "apt-get install mono-mcs mono-runtime, or the .NET SDK"
    snippet = """var steps = 4;
for (var step = 1; step <= steps; step++)
{
    Progress(step * 100.0 / steps, $"Step {step}");
    Console.WriteLine($"step {step}");
    await Task.Delay(500);
}
Result(new { steps });
"""

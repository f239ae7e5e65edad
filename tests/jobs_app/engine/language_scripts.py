"""The same few scripts in each language that runs as a child of the runspace."""

from typing import NamedTuple

import pytest

from runspaces_app import languages


class Scripts(NamedTuple):
    """What each language has to be able to say.

    Attributes:
        everything: progress 40 "Half way", prints "größe 漢" and the parameter `name`, result of the
            parameter `list` and a text with quotes.
        emits: 1, then {"a": null}.
        fails: prints "before", then an uncaught error with the message "deep trouble".
        error_type: how that error is called.
        leaves: with exit code 7.
        waits: prints "ready", then busy for ever.
        stubborn: prints "ready", starts `sleep 300` of a session of its own, ignores TERM where it can.
        much_progress: 10,000 calls of progress, the last one "Step 10000", prints 30,000 lines "line <n>".
        broken: does not compile; the second line is at fault.
    """

    everything: str
    emits: str
    fails: str
    error_type: str
    leaves: str
    waits: str
    stubborn: str
    much_progress: str
    broken: str


SCRIPTS = {
    "shell": Scripts(
        everything="""progress 40 "Half way"
echo "größe 漢 $TASKHUB_PARAM_NAME"
result --json "{\\"list\\": $TASKHUB_PARAM_LIST, \\"text\\": \\"a \\\\\\"b\\\\\\" ü\\"}"
""",
        emits="emit --json 1\nemit --json '{\"a\": null}'",
        fails="echo before; echo 'deep trouble' >&2; exit 1",
        error_type="ExitCode",
        leaves="exit 7",
        waits="echo ready; while :; do :; done",
        stubborn="trap '' TERM; setsid sleep 300 & echo ready; while :; do sleep 0.1; done",
        much_progress="""n=0; while [ $n -lt 100 ]; do n=$((n+1)); progress 5 "Step $n"; done
n=0; while [ $n -lt 9900 ]; do n=$((n+1)); printf '{"progress": 9, "message": "Step %d"}\\n' $((n+100)) >&3; done
n=0; while [ $n -lt 30000 ]; do n=$((n+1)); echo "line $n"; done""",
        broken="true\nif then\n",
    ),
    "javascript": Scripts(
        everything="""progress(40, "Half way")
console.log("größe 漢", context.parameters.name)
result({ list: context.parameters.list, text: 'a "b" ü' })
""",
        emits="emit(1); await null; emit({ a: null })",
        fails='console.log("before")\nthrow new RangeError("deep trouble")',
        error_type="RangeError",
        leaves="process.exit(7)",
        waits='console.log("ready"); for (;;) {}',
        stubborn="""process.on("SIGTERM", () => {})
require("child_process").spawn("sleep", ["300"], { detached: true, stdio: "ignore" })
console.log("ready"); setInterval(() => {}, 1000)""",
        much_progress="""for (let n = 1; n <= 10000; n++) progress(n / 200, `Step ${n}`)
for (let n = 1; n <= 30000; n++) console.log(`line ${n}`)""",
        broken="let a = 1\nlet b = = 2\n",
    ),
    "csharp": Scripts(
        everything="""Progress(40, "Half way");
Console.WriteLine("größe 漢 " + Parameters["name"]);
Result(new { list = Parameters["list"], text = "a \\"b\\" ü" });
""",
        emits='Emit(1); await Task.Delay(1); Emit(new Dictionary<string, object> { ["a"] = null });',
        fails='Console.WriteLine("before");\nthrow new InvalidOperationException("deep trouble");',
        error_type="InvalidOperationException",
        leaves="Environment.Exit(7);",
        waits='Console.WriteLine("ready"); while (true) { }',
        stubborn="""System.Diagnostics.Process.Start("setsid", "sleep 300");
Console.WriteLine("ready"); Thread.Sleep(-1);""",
        much_progress="""for (var n = 1; n <= 10000; n++) Progress(n / 200.0, $"Step {n}");
for (var n = 1; n <= 30000; n++) Console.WriteLine($"line {n}");""",
        broken="var a = 1;\nvar b = = 2;\n",
    ),
    "powershell": Scripts(
        everything="""progress 40 "Half way"
Write-Output "größe 漢 $($TaskhubParameters.name)"
result @{ list = $TaskhubParameters.list; text = 'a "b" ü' }
""",
        emits="emit 1; emit @{ a = $null }",
        fails="Write-Output before\nthrow [InvalidOperationException]::new('deep trouble')",
        error_type="InvalidOperationException",
        leaves="exit 7",
        waits="Write-Output ready; while ($true) { }",
        stubborn="/usr/bin/setsid --fork sleep 300; Write-Output ready; while ($true) { Start-Sleep 1 }",
        much_progress="""foreach ($n in 1..10000) { progress ($n / 200) "Step $n" }
foreach ($n in 1..30000) { "line $n" }""",
        broken="$a = 1\n$b = = 2\n",
    ),
    "vbnet": Scripts(
        everything="""Progress(40, "Half way")
Console.WriteLine("größe 漢 " & CStr(Parameters("name")))
Result(New With {.list = Parameters("list"), .text = "a ""b"" ü"})
""",
        emits='Emit(1)\nDim map As New Dictionary(Of String, Object)\nmap("a") = Nothing\nEmit(map)',
        fails='Console.WriteLine("before")\nThrow New InvalidOperationException("deep trouble")',
        error_type="InvalidOperationException",
        leaves="Environment.Exit(7)",
        waits='Console.WriteLine("ready")\nDo\nLoop',
        stubborn="""System.Diagnostics.Process.Start("setsid", "sleep 300")
Console.WriteLine("ready")
Thread.Sleep(-1)""",
        much_progress="""For n = 1 To 10000
Progress(n / 200, "Step " & n)
Next
For n = 1 To 30000
Console.WriteLine("line " & n)
Next""",
        broken="Dim a = 1\nDim b = = 2\n",
    ),
}

# Tested wherever their interpreter is found; even CI need not have them.
OPTIONAL = ("powershell", "vbnet")


def each() -> list[object]:
    """One parameter per language, skipped with its reason where the interpreter is missing."""
    return [pytest.param(name, id=name, marks=_marks(name)) for name in SCRIPTS]


def _marks(name: str) -> list[pytest.MarkDecorator]:
    language = languages.get(name)
    missing = language.interpreter() is None
    marks = [pytest.mark.skipif(missing, reason=f"{language.label} is not installed: {language.install}")]
    return [*marks, pytest.mark.optional] if name in OPTIONAL else marks

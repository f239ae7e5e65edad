"""Build a script of .NET and run it, in the child process of a job. Standard library only.

    net_start.py [--check] C#|VB COMPILER RUNNER SCRIPT

COMPILER is mono's `mcs`, a `vbc` or `vbnc`, or `dotnet`; RUNNER what starts the program. With --check
the text comes from stdin and nothing of it runs. What the compiler says goes to stderr.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

_HERE = os.path.dirname(os.path.abspath(__file__))
_PRELUDE = os.path.join(_HERE, "csharp", "Prelude.cs")
_LONGEST = 60_000
_QUIET = {"MSBUILDDISABLENODEREUSE": "1", "DOTNET_NOLOGO": "1", "DOTNET_CLI_TELEMETRY_OPTOUT": "1"}

_PROJECT = """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>
<OutputType>{kind}</OutputType><TargetFramework>net{version}</TargetFramework><AssemblyName>{name}</AssemblyName>
<EnableDefaultCompileItems>false</EnableDefaultCompileItems><StartupObject>{start}</StartupObject>
<ImplicitUsings>disable</ImplicitUsings><Nullable>disable</Nullable><WarningLevel>0</WarningLevel>
<TreatWarningsAsErrors>false</TreatWarningsAsErrors><RootNamespace></RootNamespace><NuGetAudit>false</NuGetAudit>
</PropertyGroup><ItemGroup><Compile Include="{source}" />{more}</ItemGroup></Project>
"""


def main() -> int:
    arguments = sys.argv[1:]
    check = arguments[0] == "--check"
    language, compiler, runner, script = arguments[1:] if check else arguments
    if check:
        code = sys.stdin.buffer.read().decode("utf-8", "replace")
    else:
        with open(script, encoding="utf-8") as file:
            code = file.read()
    folder = tempfile.mkdtemp(prefix="build-")
    try:
        built = _build(language, compiler, code, folder)
        if isinstance(built, str):
            sys.stderr.write(built + "\n")
            if not check:
                _tell(built)
            return 1
    finally:
        if check:
            shutil.rmtree(folder, ignore_errors=True)
    if check:
        return 0
    sys.stderr.flush()
    os.execv(runner, [runner, *built])  # noqa: S606 # the program takes this process's place


def _build(language: str, compiler: str, code: str, folder: str) -> list[str] | str:
    """Arguments that run the program, or what the compiler said."""
    sys.path.insert(0, os.path.join(_HERE, "csharp" if language == "C#" else "visual_basic"))
    source = importlib.import_module("source")
    name = "script_program.cs" if language == "C#" else "script_program.vb"
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(source.program(code))
    if os.path.basename(compiler) == "dotnet":
        return _by_dotnet(language, compiler, path, folder)
    return _by_mono(language, compiler, path, folder)


def _by_mono(language: str, compiler: str, path: str, folder: str) -> list[str] | str:
    program = os.path.join(folder, "script.exe")
    if language == "C#":
        words = [
            compiler,
            "-nologo",
            "-debug",
            "-warn:0",
            "-main:TaskhubEntry",
            f"-out:{program}",
            path,
            _PRELUDE,
        ]
        return _run(words, folder) or ["--debug", program]
    mcs = shutil.which("mcs")
    if mcs is None:
        return "Expected mono's mcs beside the compiler of VB.NET, found none."
    library = os.path.join(folder, "prelude.dll")
    failed = _run([mcs, "-nologo", "-warn:0", "-target:library", f"-out:{library}", _PRELUDE], folder)
    words = [
        compiler,
        "-nologo",
        "-debug",
        "-target:exe",
        "-main:TaskhubEntry",
        f"-r:{library}",
        f"-out:{program}",
    ]
    return failed or _run([*words, path], folder) or ["--debug", program]


def _by_dotnet(language: str, dotnet: str, path: str, folder: str) -> list[str] | str:
    said = subprocess.run(
        [dotnet, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    version = ".".join(said.stdout.strip().split(".")[:2])
    project, more = os.path.join(folder, "script.csproj"), f'<Compile Include="{_PRELUDE}" />'
    if language == "VB":
        library = os.path.join(folder, "prelude", "prelude.csproj")
        os.mkdir(os.path.dirname(library))
        facts = {"kind": "Library", "name": "prelude", "start": "", "source": _PRELUDE, "more": ""}
        with open(library, "w", encoding="utf-8") as file:
            file.write(_PROJECT.format(version=version, **facts))
        project, more = os.path.join(folder, "script.vbproj"), f'<ProjectReference Include="{library}" />'
    facts = {"kind": "Exe", "name": "script", "start": "TaskhubEntry", "source": path, "more": more}
    with open(project, "w", encoding="utf-8") as file:
        file.write(_PROJECT.format(version=version, **facts))
    out = os.path.join(folder, "out")
    words = [
        dotnet,
        "build",
        project,
        "-nologo",
        "-v",
        "quiet",
        "-o",
        out,
        "--property:UseSharedCompilation=false",
    ]
    return _run([*words, "-nodeReuse:false"], folder) or [os.path.join(out, "script.dll")]


def _run(words: list[str], folder: str) -> str:
    """What a compiler said when it failed; blank if it did not."""
    # VBCSCompiler and MSBuild would leave servers behind, which the options above forbid.
    done = subprocess.run(
        words,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ) | _QUIET,
        check=False,
    )
    if done.returncode == 0:
        return ""
    said = done.stdout.decode("utf-8", "replace").strip()
    return said[:_LONGEST] or f"{os.path.basename(words[0])} ended with {done.returncode}"


def _tell(said: str) -> None:
    """The compiler's words as the error of the job."""
    first = next((line for line in said.split("\n") if "error" in line), said.split("\n", 1)[0])
    line = json.dumps({"error": {"type": "CompileError", "message": first[:500], "traceback": said}})
    with open(os.environ.get("TASKHUB_CHANNEL", os.devnull), "wb", buffering=0) as channel:
        channel.write(line.encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())

# What a PowerShell script can say to Taskhub: each call writes one line of JSON to the control channel.
#
#   progress 40 "Copying"      percent and message; either may stand alone
#   result $value              the job's result, anything ConvertTo-Json takes; the last call counts
#   emit $value                adds to a list result; takes a pipeline, too
#   $TaskhubParameters         the job's parameters, an object; $env:TASKHUB_JOB_ID and others
#
# An uncaught error goes to the channel as well and is exit code 1.
param([Parameter(Mandatory)][string]$TaskhubScript)

[Console]::OutputEncoding = [Text.UTF8Encoding]::new($false)
$OutputEncoding = [Console]::OutputEncoding
$PSStyle.OutputRendering = 'PlainText'
$global:TaskhubChannel = [IO.FileStream]::new(
    $env:TASKHUB_CHANNEL, [IO.FileMode]::Open, [IO.FileAccess]::Write, [IO.FileShare]::ReadWrite, 1)

function global:Write-TaskhubLine([Collections.IDictionary]$Message) {
    $json = ConvertTo-Json -InputObject $Message -Compress -Depth 64 -WarningAction SilentlyContinue
    $bytes = [Text.UTF8Encoding]::new($false).GetBytes($json + "`n")
    $global:TaskhubChannel.Write($bytes, 0, $bytes.Length)
    $global:TaskhubChannel.Flush()
}

function global:progress {
    $line = [ordered]@{}
    $rest = @($args)
    if ($rest.Count -and $rest[0] -isnot [string]) {
        $line.progress = [Math]::Min(100, [Math]::Max(0, [double]$rest[0]))
        $rest = @($rest | Select-Object -Skip 1)
    }
    if ($rest.Count) { $line.message = [string]$rest[0] }
    if ($rest.Count -gt 1 -or -not $line.Count -or ($rest.Count -and [string]::IsNullOrWhiteSpace($rest[0]))) {
        throw 'progress: expected PERCENT, MESSAGE, or PERCENT MESSAGE'
    }
    Write-TaskhubLine $line
}

function global:result($Value) { Write-TaskhubLine @{ result = $Value } }

function global:emit([Parameter(ValueFromPipeline)]$Value) { process { Write-TaskhubLine @{ emit = $Value } } }

$text = if ($env:TASKHUB_PARAMETERS_FILE) { Get-Content -Raw $env:TASKHUB_PARAMETERS_FILE }
        elseif ($env:TASKHUB_PARAMETERS) { $env:TASKHUB_PARAMETERS } else { '{}' }
$global:TaskhubParameters = ConvertFrom-Json $text
$global:LASTEXITCODE = 0

try {
    & $TaskhubScript
    $TaskhubEndedWell = $?
}
catch {
    $type = $_.Exception.GetType().Name
    Write-TaskhubLine @{ error = @{ type = $type; message = $_.Exception.Message; traceback = "$($_.InvocationInfo.PositionMessage)`n$($_.ScriptStackTrace)" } }
    [Console]::Error.WriteLine("${type}: $($_.Exception.Message)`n$($_.InvocationInfo.PositionMessage)")
    exit 1
}
# `exit 3` of a script arrives here as its exit code; one of a program it called does not make it fail.
if (-not $TaskhubEndedWell -and $LASTEXITCODE) { exit $LASTEXITCODE }
exit 0

# Reads a script from stdin and says on stdout, in JSON, why it would not parse; null: it would.
$code = [IO.StreamReader]::new([Console]::OpenStandardInput(), [Text.UTF8Encoding]::new($false)).ReadToEnd()
$tokens = $errors = $null
[void][Management.Automation.Language.Parser]::ParseInput($code, [ref]$tokens, [ref]$errors)
if ($errors.Count) {
    @{ message = $errors[0].Message; line = $errors[0].Extent.StartLineNumber } | ConvertTo-Json -Compress
}
else { 'null' }

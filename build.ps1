#!/usr/bin/env pwsh
Push-Location $PSScriptRoot; try { dotnet run eng/build/build.cs -- @args; $code = $LASTEXITCODE } finally { Pop-Location }; exit $code

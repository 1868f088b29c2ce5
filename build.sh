#!/usr/bin/env bash
cd "$(dirname "$0")" && exec dotnet run eng/build/build.cs -- "$@"

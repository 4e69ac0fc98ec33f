#!/usr/bin/env sh
# What a merge must pass, for any CI system: run it in the project's folder, with the gateway installed.
# BASE names what readers know by now (default: origin/main); LEGACY the DDL that the mappings stand on.
set -eu
BASE="${BASE:-origin/main}"
LEGACY="${LEGACY:-legacy.sql}"

gateway fmt --check
gateway lint
gateway test --junit junit.xml
gateway check --ddl "$LEGACY" --against "$BASE"
gateway docs build catalogue

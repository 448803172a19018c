#!/usr/bin/env bash
# Runs shellcheck over every shell script of ours: those that end in .sh, and those whose first line says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

mapfile -t files < <({
  git ls-files --cached --others --exclude-standard -- '*.sh'
  git grep -lE --untracked '^#!.*\b(ba)?sh$' -- ':!*.md'
} | sort -u)
shellcheck "${files[@]}"
echo "shellcheck: ${#files[@]} scripts"

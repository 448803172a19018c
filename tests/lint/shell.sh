#!/usr/bin/env bash
# Runs shellcheck over every shell script of ours: those that end in .sh, and those whose first line says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

mapfile -t files < <({
  git ls-files --cached --others --exclude-standard -- '*.sh'
  git grep -lE --untracked '^#!.*\b(ba)?sh$' -- ':!*.md'
} | sort -u)
# The examples that README shows are what one types at a prompt: without a first line of that kind.
mapfile -t typed < <(grep -LE '^#!' "${files[@]}")
mapfile -t scripts < <(grep -lE '^#!' "${files[@]}")
shellcheck "${scripts[@]}"
((${#typed[@]} == 0)) || shellcheck --shell=sh "${typed[@]}"
echo "shellcheck: ${#files[@]} scripts"

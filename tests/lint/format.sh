#!/usr/bin/env bash
# Every C++ file of ours is as clang-format leaves it. `tests/lint/format.sh --fix` makes it so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.cc' '*.h')
if [[ ${1:-} == --fix ]]; then
  clang-format-19 -i "${files[@]}"
else
  clang-format-19 --dry-run -Werror "${files[@]}" || {
    echo 'to mend: tests/lint/format.sh --fix' >&2
    exit 1
  }
fi

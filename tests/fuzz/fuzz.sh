#!/usr/bin/env bash
# Fuzzes one target: fuzz.sh PROGRAM [SEED_FILE_OR_FOLDER]...
#
# For $LLM_ROUTER_FUZZ_SECONDS (20) from the seeds and from what earlier runs of this build tree found. In a new tree it
# tries the same inputs in the same order each time, as many as the machine gets through, for a gate that is passed by
# luck is none; LLM_ROUTER_FUZZ_SEED=0 tries others. An input
# that breaks it is kept, and how to try it again is the last thing said.
set -euo pipefail

readonly program=$1 seconds=${LLM_ROUTER_FUZZ_SECONDS:-20}
shift
name=$(basename "$program")
readonly name
found=$(dirname "$program")/$name.corpus
broken=$(dirname "$program")/$name.broken
seeds=$(mktemp -d)
readonly found broken seeds
trap 'rm -rf "$seeds"' EXIT
mkdir -p "$found" "$broken"
for seed in "$@"; do
  cp -r "$seed" "$seeds/"
done

status=0
"$program" "$found" "$seeds" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
  -seed="${LLM_ROUTER_FUZZ_SEED:-1}" -artifact_prefix="$broken/" -print_final_stats=1 -print_funcs=0 -verbosity=0 || status=$?
if ((status)); then
  input=$(find "$broken" -type f -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
  printf '\n%s: an input breaks it. To try it again:\n  %s %s\n' "$name" "$program" "$input"
fi
exit "$status"

#!/usr/bin/env bash
# Fuzzes one target: fuzz.sh PROGRAM RUNS [SEED_FILE_OR_FOLDER]...
#
# Tries RUNS inputs made from the seeds, the same ones each time (nearly so where a target reads the clock): a gate that is
# passed by luck is none. For that neither addresses nor what a comparison was about may guide it. With
# LLM_ROUTER_FUZZ_SECONDS in the environment it searches for that long instead, guided by all of it, from the seeds and from
# what earlier searches of this build tree found.
# An input that breaks the target is kept, and how to try it again is the last thing said.
set -euo pipefail

readonly program=$1 runs=$2
shift 2
name=$(basename "$program")
readonly name
broken=$(dirname "$program")/$name.broken
work=$(mktemp -d)
readonly broken work
trap 'rm -rf "$work"' EXIT
mkdir -p "$broken" "$work/seeds" "$work/found"
for seed in "$@"; do
  cp -r "$seed" "$work/seeds/"
done

if [[ -n ${LLM_ROUTER_FUZZ_SECONDS:-} ]]; then
  found=$(dirname "$program")/$name.corpus
  mkdir -p "$found"
  how=("$program" "$found" -max_total_time="$LLM_ROUTER_FUZZ_SECONDS")
else
  how=("$program" "$work/found" -runs="$runs" -seed=1 -use_cmp=0)
  # A container may forbid it; then some inputs differ from run to run.
  if setarch --addr-no-randomize true 2>/dev/null; then how=(setarch --addr-no-randomize "${how[@]}"); fi
fi

status=0
"${how[@]}" "$work/seeds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -artifact_prefix="$broken/" \
  -print_final_stats=1 -print_funcs=0 -verbosity=0 || status=$?
if ((status)); then
  input=$(find "$broken" -type f -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
  printf '\n%s: an input breaks it. To try it again:\n  %s %s\n' "$name" "$program" "$input"
fi
exit "$status"

#!/usr/bin/env bash
# Installs what the tests need, builds, and runs every test: lint, unit, contract and end-to-end tests with
# AddressSanitizer and UndefinedBehaviorSanitizer (preset dev), most of them as users run it (preset release),
# the threaded ones with ThreadSanitizer (preset tsan), and each fuzz target with a fixed lot of inputs (preset fuzz).
#
#   tests/run.sh                  all but what takes over two minutes alone
#   tests/run.sh --long           all, and the fuzz targets search for 5 minutes each; with CI=true in the
#                                 environment the quickstart on a bare Debian runs without it
#   tests/run.sh --only PHASE...  some of: lint dev release tsan fuzz bare
#
# Ends with one line that says how it went; exits with 0 only when no test failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly all_phases=(lint dev release tsan fuzz bare)
long=0
bare=0 # whether to run it
phases=("${all_phases[@]}")
failures=()
passed=0
skipped=()
reasons=()
timings=()

usage() {
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
  exit "$1"
}

parse() {
  while (($#)); do
    case $1 in
      --long) long=1 ;;
      --only)
        shift
        (($#)) || usage 2
        phases=("$@")
        if selected bare; then bare=1; fi
        break
        ;;
      --help) usage 0 ;;
      *) usage 2 >&2 ;;
    esac
    shift
  done
  local phase
  for phase in "${phases[@]}"; do
    [[ " ${all_phases[*]} " == *" $phase "* ]] || usage 2 >&2
  done
}

selected() { [[ " ${phases[*]} " == *" $1 "* ]]; }

# Runs a phase and remembers how long it took.
timed() {
  local start=$SECONDS
  printf '\n==== %s\n' "$1"
  run_phase "$1"
  timings+=("$(printf '%-14s %4d s' "$1" $((SECONDS - start)))")
}

# Everything stops at a build that fails: its tests would be those of an older one.
build() {
  cmake --preset "$1" -DLLM_ROUTER_TESTS=ON >"build/$1-configure.log" 2>&1 || {
    tail -n 30 "build/$1-configure.log" >&2
    finish "$1 could not be configured"
  }
  cmake --build "build/$1" --target "${@:2}" || finish "$1 could not be built"
}

# run_tests PRESET CTEST_ARGUMENT...: ctest's own output stays; its last lines are counted into the summary.
run_tests() {
  local preset=$1 log="build/$1-ctest.log" status=0 total failed
  shift
  ctest --test-dir "build/$preset" --output-on-failure --no-tests=error "$@" </dev/null 2>&1 | tee "$log" || status=$?
  read -r failed total < <(sed -nE 's/.*, ([0-9]+) tests? failed out of ([0-9]+)/\1 \2/p' "$log") || true
  passed=$((passed + ${total:-0} - ${failed:-0}))
  local name
  while read -r name; do
    skipped+=("$name ($preset)")
    passed=$((passed - 1))
  done < <(sed -nE 's/^[[:space:]]+[0-9]+ - (.*) \(Skipped\)$/\1/p' "$log")
  # What a test says of itself, or of cases in it that it left out.
  while read -r name; do
    reasons+=("$preset: $name")
  done < <(grep -hE '^SKIPPED |^[a-z_]+: skipped: ' "build/$preset/Testing/Temporary/LastTest.log" 2>/dev/null)
  if ((status)); then failures+=("$preset: ${failed:-all} of ${total:-?} tests failed"); fi
}

finish() {
  local -a problems=("${failures[@]}" "$@")
  if ((${#timings[@]})); then printf '\n%s\n' 'Time per phase:' && printf '  %s\n' "${timings[@]}"; fi
  if ((${#skipped[@]})); then printf 'Skipped:\n' && printf '  %s\n' "${skipped[@]}"; fi
  if ((${#reasons[@]})); then printf 'Left out, and why:\n' && printf '  %s\n' "${reasons[@]}"; fi
  printf '\ntests/run.sh: '
  if ((${#problems[@]})); then
    printf 'FAILED in %d s: %s passed; ' "$SECONDS" "$passed"
    printf '%s; ' "${problems[@]}" | sed 's/; $/\n/'
    exit 1
  fi
  printf 'PASSED in %d s: %d tests passed, %d skipped, 0 failed\n' "$SECONDS" "$passed" "${#skipped[@]}"
  exit 0
}

# test_preset PRESET [CTEST_ARGUMENT...]: its tests, or those that ctest's arguments choose; the long ones only when asked
# for. What deploy/ makes of the program is made of the one that users run. At full speed most of them wait most of the
# time: twice as many run at once as there are processors.
test_preset() {
  local excluded='lint|bare' at_once
  at_once=$(nproc)
  if [[ $1 == release ]]; then at_once=$((2 * at_once)); fi
  if [[ $1 == dev ]]; then excluded+='|deploy'; fi
  if ((!long)); then excluded+='|long'; fi
  run_tests "$1" -j "$at_once" -LE "$excluded" "${@:2}"
}

# Two at a time: a target is one thread, and more would take the time from each other.
test_fuzz() {
  if ((long)); then export LLM_ROUTER_FUZZ_SECONDS=${LLM_ROUTER_FUZZ_SECONDS:-300}; fi
  run_tests fuzz -j 2 -L fuzz
}

# The quickstart on a bare Debian 12. It takes minutes and root.
test_bare_root() {
  if ((!long && !bare)) && [[ ${CI:-} != true ]]; then
    skipped+=('bare: it takes minutes; --long, --only bare or CI=true runs it')
    echo "${skipped[-1]}"
    return
  fi
  build release all
  run_tests release -V -L bare
}

run_phase() {
  case $1 in
    packages) deploy/install-packages.sh deploy/packages.txt deploy/debian/packages.txt tests/packages.txt || finish 'packages are missing' ;;
    build-dev) build dev all ;;
    lint) run_tests dev -L lint ;;
    dev) test_preset dev ;;
    build-release) build release all ;;
    release) test_preset release ;;
    build-tsan) build tsan threaded_tests ;;
    tsan) test_preset tsan -L threaded ;;
    build-fuzz) build fuzz fuzz_targets ;;
    fuzz) test_fuzz ;;
    bare) test_bare_root ;;
  esac
}

main() {
  parse "$@"
  mkdir -p build
  timed packages
  if selected lint || selected dev; then timed build-dev; fi
  if selected lint; then timed lint; fi
  if selected dev; then timed dev; fi
  if selected release; then timed build-release && timed release; fi
  if selected tsan; then timed build-tsan && timed tsan; fi
  if selected fuzz; then timed build-fuzz && timed fuzz; fi
  if selected bare; then timed bare; fi
  finish
}

main "$@"

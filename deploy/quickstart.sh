#!/usr/bin/env bash
# From a fresh Debian 12 to two answers: installs packages, builds, starts the server, asks two questions.
#
#   deploy/quickstart.sh          leaves the server running until Ctrl-C
#   deploy/quickstart.sh --exit   stops it and returns
#
# May be run again at any time. Exits with 0 only when both questions were answered and the server stopped cleanly.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly program=build/release/llm-router
readonly server_log=build/quickstart-server.log
readonly configure_log=build/quickstart-configure.log
readonly question='In one sentence: why is the sky blue?'

step() { printf '\n== %s\n' "$*"; }

fail() {
  printf '\nquickstart failed: %s\n' "$@" >&2
  exit 1
}

# fail, after the end of the log that says why.
fail_with_log() {
  printf '\n-- the end of %s:\n' "$1" >&2
  tail -n 30 "$1" >&2
  fail "${@:2}"
}

install_packages() { deploy/install-packages.sh deploy/packages.txt || fail 'packages are missing, see above'; }

build() {
  mkdir -p build
  cmake --preset release -DLLM_ROUTER_TESTS=OFF >"$configure_log" 2>&1 ||
    fail_with_log "$configure_log" 'cmake could not configure the build'
  cmake --build build/release --target llm-router || fail 'the build stopped, see above'
}

# Whether the environment or .env gives this variable a value.
has_value() { [[ -n ${!1:-} ]] || grep -qsE "^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=[[:space:]\"']*[^[:space:]\"'#]" .env; }

server=
fifo=
stopping=0

# Starts the server and sets `address` to its gRPC door when it says that it is ready.
start_server() {
  local ready=''
  fifo=$(mktemp -u)
  mkfifo "$fifo"
  set -m # a process group of its own: Ctrl-C comes to this script only, and it asks the server to stop
  "$program" serve "$@" </dev/null >"$fifo" 2>"$server_log" &
  server=$!
  set +m
  exec 3<"$fifo"
  rm "$fifo"
  fifo=
  read -r -t 60 -u 3 ready || true
  if [[ ! $ready =~ ^llm-router\ ready\ .*grpc=([^ ]+) ]]; then
    explain_start
  fi
  address=${BASH_REMATCH[1]}
  echo "$ready"
}

explain_start() {
  if grep -qiE 'in use|cannot listen' "$server_log"; then
    fail_with_log "$server_log" "a port is taken, perhaps by a server that runs already. Stop that one, or take free ports:
  LLM_ROUTER_LISTEN_GRPC=0 LLM_ROUTER_LISTEN_REST=0 LLM_ROUTER_LISTEN_ADMIN=0 LLM_ROUTER_LISTEN_HTTP=0 deploy/quickstart.sh"
  fi
  fail_with_log "$server_log" 'the server did not start'
}

# Asks it to stop and waits until it has: it finishes the queries it has taken. A second Ctrl-C does not wait.
stop_server() {
  local status=0
  stopping=1
  trap 'exit 130' INT TERM HUP
  kill -TERM "$server" 2>/dev/null || true
  wait "$server" || status=$?
  server=
  ((status == 0)) || fail_with_log "$server_log" "the server ended with status $status"
}

interrupted() {
  ((stopping)) && return
  [[ -n $server ]] || exit 130
  printf '\nstopping (Ctrl-C again: at once)\n'
  stop_server
  exit 0
}

# Nothing is left behind, whichever way this ends.
clean_up() {
  if [[ -n $server ]]; then kill -KILL -- "-$server" 2>/dev/null || true; fi
  if [[ -n $fifo ]]; then rm -f "$fifo"; fi
}

# ask ROUTE: one question through the client library.
ask() {
  printf '\n%s_requests <- %s\n' "$1" "$question"
  printf '%s_requests -> ' "$1"
  "$program" ask --address "$address" -r "$1" "$question" ||
    fail_with_log "$server_log" "no answer on $1_requests, see above. A provider's key may be wrong, or it may be unreachable"
}

say_who_answers() {
  local simulated=$1
  if [[ -z $simulated ]]; then
    echo 'OPENAI_API_KEY and ANTHROPIC_API_KEY are set: OpenAI and Anthropic answer.'
  else
    echo "No key for:$simulated. SIMULATED: a built-in simulator answers for these, no provider is called."
    echo 'For real answers put the keys into .env (OPENAI_API_KEY=..., ANTHROPIC_API_KEY=...) or the environment.'
  fi
}

say_what_next() {
  cat <<END

The server runs at $address. In another terminal:
  $program ask --address $address -r claude 'Your question'
  $program chat --address $address
  $program routes --address $address
Its log: $server_log    Its settings: llm-router.yaml, environment, --set (see README.md)
END
}

main() {
  local leave=0 simulated=''
  local -a options=()
  case ${1:-} in
    '') ;;
    --exit) leave=1 ;;
    *) fail "unknown argument '$1'; usage: deploy/quickstart.sh [--exit]" ;;
  esac
  trap interrupted INT TERM HUP
  trap clean_up EXIT

  step 'Packages'
  install_packages
  step 'Build (some minutes the first time)'
  build
  has_value OPENAI_API_KEY || simulated+=' openai'
  has_value ANTHROPIC_API_KEY || simulated+=' anthropic'
  if [[ -n $simulated ]]; then options+=(--simulate); fi
  step 'Server'
  say_who_answers "$simulated"
  start_server "${options[@]}"
  step 'Two questions, through the client library'
  ask openai
  ask claude
  [[ -z $simulated ]] || printf '\n(SIMULATED:%s)\n' "$simulated"
  step 'It works'
  if ((leave)); then
    stop_server
    echo 'The server was stopped, as --exit says.'
    return
  fi
  say_what_next
  echo 'Ctrl-C stops it.'
  wait "$server" || fail_with_log "$server_log" 'the server ended by itself'
}

main "$@"

#!/usr/bin/env bash
# The image without a registry: the Dockerfile's own steps, those of its build in the bare Debian of bare_root.sh, which
# sources this, the last one in a second; and the image's command there, as its user, on a read-only root file system.
# shellcheck disable=SC2154 # what has no value here is bare_root.sh's

# A chroot command, its output kept; the end of it is shown when it fails.
step() {
  echo "bare_root: the image: ${*: -1}"
  chroot "$@" </dev/null >>"$output" 2>&1 || {
    tail -n 30 "$output"
    failed "the image's step: ${*: -1}"
  }
}

# What the Dockerfile says last with this word.
said() { sed -nE "s/^$1 (.*)/\1/p" deploy/docker/Dockerfile | tail -n 1; }

make_image() {
  local -a steps
  # The RUN lines, without their mounts.
  mapfile -t steps < <(sed -e ':join' -e '/\\$/{N;s/\\\n *//;b join' -e '}' deploy/docker/Dockerfile |
    sed -nE 's/^RUN (--mount=[^ ]+ +)*//p')
  ((${#steps[@]} == 3)) || failed "the Dockerfile has ${#steps[@]} RUN lines; this test knows 3"
  step "$root" "${inside[@]}" sh -euc "cd '$source'; ${steps[0]}"
  step "$root" "${inside[@]}" sh -euc "cd '$source'; ${steps[1]}"
  bare_debian "$image"
  mkdir "$image/out"
  cp "$root"/out/*.deb "$image/out"
  cp deploy/docker/steps.sh "$image"
  step "$image" "${inside[@]}" sh -euc "${steps[2]}"
  rm -r "$image/out" "$image/steps.sh"
  echo "bare_root: the image has $(du -sxm "$image" | cut -f1) MB"
}

run_image() {
  local user volume route ready='' contained_root=$work/contained
  local -a command contained
  user=$(said USER)
  volume=$(said WORKDIR)
  mapfile -t command < <(printf '%s\n%s\n' "$(said ENTRYPOINT)" "$(said CMD)" | tr -d '[]" ' | tr , '\n')
  # Read-only but for /tmp and its volume.
  mkdir "$work/volume"
  chown "$user" "$work/volume"
  mkdir "$contained_root"
  mount --bind "$image" "$contained_root"
  mount --make-private "$contained_root"
  mount_system "$contained_root"
  mount -o remount,bind,ro "$contained_root"
  mount -t tmpfs tmpfs "$contained_root/tmp"
  mount --bind "$work/volume" "$contained_root$volume"
  contained=(chroot "--userspec=$user" "$contained_root" "${inside[@]}" "$(said ENV)" LLM_ROUTER_ACCESS=open)
  # shellcheck disable=SC2016 # the inner shell expands it
  contained+=(sh -euc 'cd "$0"; exec "$@"' "$volume")

  mkfifo "$work/ready"
  "${contained[@]}" "${command[@]}" --simulate </dev/null >"$work/ready" 2>>"$output" &
  server=$!
  read -r -t 60 ready <"$work/ready" || true
  [[ $ready =~ grpc=[^:]+:([0-9]+) ]] || {
    tail -n 30 "$output"
    failed 'the image did not start'
  }
  local address=127.0.0.1:${BASH_REMATCH[1]}
  for route in openai claude; do
    "${contained[@]}" "${command[0]}" ask --address "$address" -r "$route" 'What is an image?' </dev/null ||
      failed "the image gave no answer on $route"
  done
  kill -TERM "$server"
  wait "$server" || failed 'the image did not stop well'
  server=
  if "${contained[@]}" touch /etc/a-file 2>/dev/null; then failed 'the root file system can be written'; fi
  [[ -n $(ls "$work/volume") ]] || failed 'the image kept nothing in its volume'
  echo 'bare_root: passed: the image answered, as its own user, on a read-only root'
}

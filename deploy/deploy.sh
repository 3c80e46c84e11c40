#!/usr/bin/env bash
# Puts a package of Djinn into service: beside the release before it, the database first, then one process after another,
# each waited for until it is ready. If one does not get ready, all go back to the release before.
set -euo pipefail

usage='usage: deploy.sh [options] djinn-0.2.0.tgz        (npm pack makes the package)
  --to [USER@]HOST      there, by ssh, in place of here; USER is root or may use sudo
  --ports "8081 8082"   the processes djinn@8081 and djinn@8082, in this order; without it the one process djinn, on port 8080
  --dry-run             say what would be done, and do nothing
  --root FOLDER         where releases/ and the link `current` are (/opt/djinn)
  --ready SECONDS       how long a process may take until it is ready (30)
  --settle SECONDS      how long the balancer gets to notice that one is ready, before the next is restarted (3)
  --keep COUNT          releases that stay on the disk (3)
These are commands, in which {version}, {release} and {port} are filled in:
  --install COMMAND     brings the dependencies, in the release (npm ci --omit=dev --ignore-scripts)
  --migrate COMMAND     brings the database to the release (systemctl start djinn-migrate@{version}.service)
  --restart COMMAND     restarts a process (systemctl restart djinn@{port}.service)
  --worker COMMAND      restarts the worker, where there is one (systemctl try-restart djinn-worker.service)
  --ssh COMMAND         in place of ssh, such as "ssh -p 2222"
Exit: 0 it is in service; 1 it is not, and what was in service is again; 2 the call is wrong; 3 neither is, and somebody has to look.'

# Nobody may be listening any more, when the connection is gone: that changes nothing here.
say() { printf '%s  %s\n' "$(date +%T)" "$*" || true; }
wrong() {
  printf 'deploy.sh: %s\n' "$*" >&2
  exit 2
}
fail() {
  printf 'deploy.sh: %s\n' "$*" >&2
  exit 1
}

filled() {
  local command=$1
  command=${command//'{version}'/$version}
  command=${command//'{release}'/$release}
  printf '%s' "${command//'{port}'/${2-}}"
}

# Commands read no input, which may be this script, and must not keep the lock when they leave something running.
run() { bash -c "$(filled "$@")" </dev/null 9>&-; }

point_to() {
  ln -sfn "$1" "$root/.current.$$"
  mv -T "$root/.current.$$" "$root/current"
}

# A process counts once it is ready and says that it is of the wanted release: one that was not restarted is ready too.
await_ready() {
  local port=$1 wanted=$2 answer='' deadline=$((SECONDS + ready_seconds))
  while ((SECONDS < deadline)); do
    if curl -fs --max-time 2 -o /dev/null "http://127.0.0.1:$port/health/ready" </dev/null; then
      answer=$(curl -fs --max-time 2 "http://127.0.0.1:$port/health" </dev/null || true)
      [[ $answer == *"\"version\":\"$wanted\""* ]] && return 0
    fi
    sleep 0.2
  done
  say "the process on port $port is not ready as $wanted after $ready_seconds s${answer:+; it says $answer}"
  return 1
}

roll() {
  local wanted=$1 first=yes port
  shift
  for port in "$@"; do
    [ "$first" = yes ] || sleep "$settle_seconds"
    first=no
    say "restarting the process on port $port"
    [[ " ${touched[*]} " == *" $port "* ]] || touched+=("$port")
    run "$restart" "$port" || {
      say "cannot restart it: $(filled "$restart" "$port")"
      return 1
    }
    await_ready "$port" "$wanted" || return 1
  done
}

# Whatever ends this script between the switch and its end goes through here: a failure, Ctrl-C, a server that shuts down.
go_back() {
  local status=$?
  trap - EXIT
  trap '' HUP INT TERM
  [ "$state" = switched ] || exit "$status"
  if [ -z "$previous" ]; then
    rm -f "$root/current"
    say "$version is not in service; there is no release before it to go back to"
    exit 3
  fi
  say "going back to $previous"
  point_to "releases/$previous"
  # What has served before gets the time that it may need on a server with much to do.
  ((ready_seconds >= 60)) || ready_seconds=60
  # Those that were not touched never left it. The schema stays: what a release adds, the one before can live with.
  roll "$previous" "${touched[@]}" || {
    say "NOT IN SERVICE: $previous does not get ready either; look at the log of the process"
    exit 3
  }
  [ "$worker_touched" = no ] || run "$worker" || say "the worker is not restarted: $(filled "$worker")"
  say "$previous is in service again; $version stays in $release to be looked at"
  exit 1
}

there() {
  local words
  printf -v words '%q ' "$@"
  local ssh_words folder status=0
  read -ra ssh_words <<<"$ssh_command"
  folder=$("${ssh_words[@]}" "$host" 'mktemp -d' </dev/null)
  "${ssh_words[@]}" "$host" "cat >$folder/package.tgz" <"$package"
  "${ssh_words[@]}" "$host" \
    "if [ \"\$(id -u)\" = 0 ]; then exec bash -s -- $words $folder/package.tgz; else exec sudo bash -s -- $words $folder/package.tgz; fi" \
    <"${BASH_SOURCE[0]}" || status=$?
  "${ssh_words[@]}" "$host" "rm -rf $folder" </dev/null || true
  exit "$status"
}

place_release() {
  if [ -e "$release" ]; then
    [ "$(cat "$release/package.sha256")" = "$digest" ] ||
      fail "$release is there from another package of the same version: raise the version in package.json"
    say "$version is there already"
    return
  fi
  local partial=$root/releases/.$version.partial
  rm -rf "$partial"
  mkdir -p "$partial"
  tar -xzf "$package" -C "$partial" --strip-components=1 --no-same-owner
  # npm takes no lock file into a package, so it lies among what was built.
  cp "$partial/dist/package-lock.json" "$partial/package-lock.json"
  if [ -n "$previous" ] && cmp -s "$partial/package-lock.json" "$root/current/package-lock.json" && [ -d "$root/current/node_modules" ]; then
    say "its dependencies are those of $previous"
    cp -al "$root/current/node_modules" "$partial/node_modules"
    rm -rf "$partial/node_modules/.cache"
  else
    say "bringing its dependencies"
    (cd "$partial" && run "$install") || fail "cannot bring the dependencies: $install"
  fi
  "$partial/node_modules/.bin/node" "$partial/bin/djinn.js" migrate --help >/dev/null </dev/null || fail "the package does not run here"
  printf '%s\n' "$digest" >"$partial/package.sha256"
  mv "$partial" "$release"
}

forget_old() {
  local each
  while read -r each; do
    [ "$each" = "$version" ] || [ "$each" = "$previous" ] || rm -rf "$root/releases/${each:?}"
  done < <(find "$root/releases" -mindepth 1 -maxdepth 1 -type d -not -name '.*' -printf '%C@ %f\n' | sort -rn | awk -v keep="$keep" 'NR > keep { print $2 }')
}

main() {
  umask 022
  local arguments=()
  host='' root=/opt/djinn ports='' dry_run=no ready_seconds=30 settle_seconds=3 keep=3 ssh_command=ssh package='' restart=''
  install='npm ci --omit=dev --ignore-scripts --no-audit --no-fund'
  migrate='systemctl start djinn-migrate@{version}.service'
  worker='systemctl try-restart djinn-worker.service'
  while (($# > 0)); do
    case $1 in
    --help | -h)
      printf '%s\n' "$usage"
      exit 0
      ;;
    --dry-run)
      dry_run=yes
      arguments+=("$1")
      shift
      continue
      ;;
    --to | --root | --ports | --ready | --settle | --keep | --install | --migrate | --restart | --worker | --ssh)
      (($# > 1)) || wrong "$1 takes a value"
      ;;&
    --to) host=$2 ;;
    --ssh) ssh_command=$2 ;;
    --root) root=$2 ;;
    --ports) ports=$2 ;;
    --ready) ready_seconds=$2 ;;
    --settle) settle_seconds=$2 ;;
    --keep) keep=$2 ;;
    --install) install=$2 ;;
    --migrate) migrate=$2 ;;
    --restart) restart=$2 ;;
    --worker) worker=$2 ;;
    -*) wrong "there is no option $1 (--help lists them)" ;;
    *)
      [ -z "$package" ] || wrong 'one package at a time'
      package=$1
      shift
      continue
      ;;
    esac
    case $1 in --to | --ssh) ;; *) arguments+=("$1" "$2") ;; esac
    shift 2
  done
  [ -n "$package" ] || wrong "which package? $(head -n 1 <<<"$usage")"
  [ -r "$package" ] || wrong "$package cannot be read"
  [[ $ready_seconds =~ ^[1-9][0-9]{0,3}$ ]] || wrong '--ready takes a whole number of seconds'
  [[ $settle_seconds =~ ^[0-9]{1,3}$ ]] || wrong '--settle takes a whole number of seconds'
  [[ $keep =~ ^[1-9][0-9]?$ ]] || wrong '--keep takes a whole number from 1 to 99'
  [[ $ports =~ ^([0-9]{1,5}( [0-9]{1,5})*)?$ ]] || wrong '--ports takes port numbers with a space between them'
  if [ -n "$host" ]; then there "${arguments[@]}"; fi

  local each wanted_ports
  for each in tar curl flock sha256sum; do command -v "$each" >/dev/null || fail "$each is not installed here"; done
  if [ -z "$restart" ]; then
    if [ -z "$ports" ]; then restart='systemctl restart djinn.service'; else restart='systemctl restart djinn@{port}.service'; fi
  fi
  read -ra wanted_ports <<<"${ports:-8080}"
  version=$(tar -xzOf "$package" package/package.json | sed -n 's/^  "version": "\([^"]*\)".*/\1/p')
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.-]*$ ]] || wrong "$package is no package of Djinn"
  digest=$(sha256sum <"$package" | cut -d ' ' -f 1)
  release=$root/releases/$version
  previous=''
  [ ! -L "$root/current" ] || previous=$(basename "$(readlink "$root/current")")
  [ "$previous" != "$version" ] || fail "$version is in service already"
  touched=() worker_touched=no state=before

  if [ "$dry_run" = yes ]; then
    say "would put $version into service${previous:+ in place of $previous}, in $root:"
    [ -e "$release" ] || say "  unpack it to $release, and $install (unless the dependencies are the same)"
    say "  $(filled "$migrate")"
    say "  point $root/current to releases/$version"
    for each in "${wanted_ports[@]}"; do say "  $(filled "$restart" "$each"), until http://127.0.0.1:$each/health/ready says so as $version"; done
    say "  $(filled "$worker")"
    exit 0
  fi

  trap '' PIPE
  mkdir -p "$root/releases"
  exec 9>"$root/deploy.lock"
  flock -n 9 || fail "another deployment is under way (it holds $root/deploy.lock)"
  # Read again under the lock: another may have ended since.
  [ ! -L "$root/current" ] || previous=$(basename "$(readlink "$root/current")")
  [ "$previous" != "$version" ] || fail "$version is in service already"
  say "putting $version into service${previous:+ in place of $previous}"
  place_release
  say 'bringing the database to it'
  run "$migrate" || fail "the database is not at $version, and nothing else was changed: $(filled "$migrate")"
  trap go_back EXIT
  trap 'exit 1' HUP INT TERM
  state=switched
  point_to "releases/$version"
  roll "$version" "${wanted_ports[@]}" || exit 1
  worker_touched=yes
  run "$worker" || {
    say "the worker does not start: $(filled "$worker")"
    exit 1
  }
  state=finished
  forget_old
  say "$version is in service, after $SECONDS s"
}

main "$@"
exit

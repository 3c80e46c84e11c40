#!/usr/bin/env bash
# Unpacks a PgBouncer and the libraries it needs from a release of Debian, without installing anything.
# usage: get-pgbouncer.sh FOLDER RELEASE...      the first release that has one is taken; FOLDER/pgbouncer then starts it
set -euo pipefail
folder=$(realpath -m "${1:?usage: get-pgbouncer.sh FOLDER RELEASE...}")
shift
[ -x "$folder/pgbouncer" ] && exit 0
archive=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Downloads are made by a user of apt's own when this is run by root.
chmod 755 "$scratch"
mkdir -p "$scratch"/{lists,archives}/partial "$scratch/packages" "$scratch/tree"
chmod 777 "$scratch/packages"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$scratch/sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$scratch/lists"
  -o "Dir::Cache=$scratch" -o Dir::State::status=/dev/null -o APT::Architecture="$(dpkg --print-architecture)")

for release in "$@"; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $release main" >"$scratch/sources"
  "${apt[@]}" update || continue
  # On an empty system everything it needs would be installed; of that, the libraries do.
  packages=$("${apt[@]}" install --simulate --no-install-recommends pgbouncer | awk '$1 == "Inst" && $2 ~ /^(lib|pgbouncer$)/ { print $2 }')
  (cd "$scratch/packages" && "${apt[@]}" download $packages) || continue
  for package in "$scratch"/packages/*.deb; do dpkg-deb --extract "$package" "$scratch/tree"; done
  mkdir -p "$folder/lib"
  # Links of one folder into another are not needed and would take the place of what they lead to.
  find "$scratch/tree" -name '*.so*' \( -type f -o -type l -not -lname '*/*' \) -exec cp -P {} "$folder/lib/" \;
  loader=$(basename "$(find "$scratch/tree" -name 'ld-linux-*' -type f | head -n 1)")
  cp "$scratch/tree/usr/sbin/pgbouncer" "$folder/pgbouncer.bin"
  # The libraries of another release go with their own loader.
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$folder/lib/$loader" "$folder/lib" "$folder/pgbouncer.bin" >"$folder/pgbouncer.new"
  chmod -R a+rX "$folder"
  chmod 755 "$folder/pgbouncer.new"
  "$folder/pgbouncer.new" --version | head -n 1
  mv "$folder/pgbouncer.new" "$folder/pgbouncer"
  exit 0
done
exit 1

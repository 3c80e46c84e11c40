#!/usr/bin/env bash
# Unpacks PostgreSQL's client tools (psql, pg_dump, pg_restore, pgbench) and the libraries they need from a release of Debian, without
# installing anything.
# usage: get-pgtools.sh FOLDER MAJOR RELEASE...      the first release that has that major version is taken; FOLDER/pgbench then starts it
set -euo pipefail
folder=$(realpath -m "${1:?usage: get-pgtools.sh FOLDER MAJOR RELEASE...}")
major=${2:?usage: get-pgtools.sh FOLDER MAJOR RELEASE...}
shift 2
tools=(psql pg_dump pg_restore pgbench)
[ -x "$folder/${tools[-1]}" ] && exit 0
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
  # On an empty system everything they need would be installed; of that, the libraries do. pgbench lies with the server.
  packages=$("${apt[@]}" install --simulate --no-install-recommends "postgresql-$major" "postgresql-client-$major" |
    awk -v tools="^(lib|postgresql-(client-)?$major\$)" '$1 == "Inst" && $2 ~ tools { print $2 }') || continue
  (cd "$scratch/packages" && "${apt[@]}" download $packages) || continue
  for package in "$scratch"/packages/*.deb; do dpkg-deb --extract "$package" "$scratch/tree"; done
  mkdir -p "$folder/lib" "$folder/bin"
  # Folders within that of the libraries hold what they load on demand. Links of one folder into another are not needed and would take the place of what they lead to.
  find "$scratch/tree" \( -path '*/postgresql/*' -o -path '*-linux-gnu*/*/*' \) -prune -o -name '*.so*' \( -type f -o -type l -not -lname '*/*' \) -exec cp -P {} "$folder/lib/" \;
  loader=$(basename "$(find "$scratch/tree" -name 'ld-linux-*' -type f | head -n 1)")
  for tool in "${tools[@]}"; do
    cp "$scratch/tree/usr/lib/postgresql/$major/bin/$tool" "$folder/bin/$tool"
    # The libraries of another release go with their own loader.
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$folder/lib/$loader" "$folder/lib" "$folder/bin/$tool" >"$folder/$tool.new"
  done
  chmod -R a+rX "$folder"
  for tool in "${tools[@]}"; do
    chmod 755 "$folder/$tool.new"
    "$folder/$tool.new" --version
    mv "$folder/$tool.new" "$folder/$tool"
  done
  exit 0
done
echo "get-pgtools.sh: no PostgreSQL $major in $*" >&2
exit 1

#!/usr/bin/env bash
# Unpacks programs and the libraries they need from a release of Debian, without installing anything.
# usage: get-debian.sh FOLDER PACKAGE[,PACKAGE] RELEASE...      the first release that has them is taken; FOLDER/<program> then starts one
set -euo pipefail
usage='usage: get-debian.sh FOLDER PACKAGE[,PACKAGE] RELEASE...'
folder=$(realpath -m "${1:?$usage}")
IFS=, read -ra wanted <<<"${2:?$usage}"
shift 2
[ -e "$folder/complete" ] && exit 0
archive=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Downloads are made by a user of apt's own when this is run by root.
chmod 755 "$scratch"
mkdir -p "$scratch"/{lists,archives}/partial "$scratch"/{packages,tree,programs}
chmod 777 "$scratch/packages"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$scratch/sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$scratch/lists"
  -o "Dir::Cache=$scratch" -o Dir::State::status=/dev/null -o APT::Architecture="$(dpkg --print-architecture)")

for release in "$@"; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $release main" >"$scratch/sources"
  "${apt[@]}" update || continue
  # On an empty system everything they need would be installed; of that, the libraries do, and no scripts of web pages.
  libraries=$("${apt[@]}" install --simulate --no-install-recommends "${wanted[@]}" |
    awk '$1 == "Inst" && $2 ~ /^lib/ && $2 !~ /^libjs/ { print $2 }')
  (cd "$scratch/packages" && "${apt[@]}" download "${wanted[@]}" $libraries) || continue
  for each in "$scratch"/packages/*.deb; do dpkg-deb --extract "$each" "$scratch/tree"; done
  for each in "${wanted[@]}"; do dpkg-deb --extract "$scratch"/packages/"${each}"_*.deb "$scratch/programs"; done
  mkdir -p "$folder/lib"
  # Links of one folder into another are not needed and would take the place of what they lead to.
  # Folders within that of the libraries hold what a program loads on demand.
  find "$scratch/tree" \( -path '*/postgresql/*' -o -path '*-linux-gnu*/*/*' \) -prune -o -name '*.so*' \( -type f -o -type l -not -lname '*/*' \) -exec cp -P {} "$folder/lib/" \;
  loader=$(basename "$(find "$scratch/tree" -name 'ld-linux-*' -type f | head -n 1)")
  # One program may have several names, which are links.
  for program in $(find -L "$scratch"/programs/usr/{bin,sbin,lib/postgresql/*/bin} -type f -perm -u+x 2>/dev/null); do
    name=$(basename "$program")
    cp "$program" "$folder/$name.bin"
    # The libraries of another release go with their own loader.
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$folder/lib/$loader" "$folder/lib" "$folder/$name.bin" >"$folder/$name"
    chmod 755 "$folder/$name"
  done
  chmod -R a+rX "$folder"
  (cd "$scratch/packages" && ls) >"$folder/complete"
  exit 0
done
exit 1

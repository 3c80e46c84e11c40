#!/usr/bin/env bash
# Unpacks a program and the libraries it needs from a release of Debian, without installing anything.
# usage: get-debian.sh FOLDER PACKAGE RELEASE...      the first release that has it is taken; FOLDER/<program> then starts it
set -euo pipefail
usage='usage: get-debian.sh FOLDER PACKAGE RELEASE...'
folder=$(realpath -m "${1:?$usage}")
package=${2:?$usage}
shift 2
[ -e "$folder/complete" ] && exit 0
archive=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Downloads are made by a user of apt's own when this is run by root.
chmod 755 "$scratch"
mkdir -p "$scratch"/{lists,archives}/partial "$scratch/packages" "$scratch/tree" "$scratch/wanted"
chmod 777 "$scratch/packages"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$scratch/sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$scratch/lists"
  -o "Dir::Cache=$scratch" -o Dir::State::status=/dev/null -o APT::Architecture="$(dpkg --print-architecture)")

for release in "$@"; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $release main" >"$scratch/sources"
  "${apt[@]}" update || continue
  # On an empty system everything it needs would be installed; of that, the libraries do, and no scripts of web pages.
  packages=$("${apt[@]}" install --simulate --no-install-recommends "$package" |
    awk -v wanted="$package" '$1 == "Inst" && ($2 ~ /^lib/ && $2 !~ /^libjs/ || $2 == wanted) { print $2 }')
  (cd "$scratch/packages" && "${apt[@]}" download $packages) || continue
  for each in "$scratch"/packages/*.deb; do dpkg-deb --extract "$each" "$scratch/tree"; done
  for each in "$scratch"/packages/"${package}"_*.deb; do dpkg-deb --extract "$each" "$scratch/wanted"; done
  mkdir -p "$folder/lib"
  # Links of one folder into another are not needed and would take the place of what they lead to.
  find "$scratch/tree" -name '*.so*' \( -type f -o -type l -not -lname '*/*' \) -exec cp -P {} "$folder/lib/" \;
  loader=$(basename "$(find "$scratch/tree" -name 'ld-linux-*' -type f | head -n 1)")
  for program in $(cd "$scratch/wanted" && find usr/bin usr/sbin -type f -perm -u+x 2>/dev/null); do
    name=$(basename "$program")
    cp "$scratch/wanted/$program" "$folder/$name.bin"
    # The libraries of another release go with their own loader.
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$folder/lib/$loader" "$folder/lib" "$folder/$name.bin" >"$folder/$name"
    chmod 755 "$folder/$name"
  done
  chmod -R a+rX "$folder"
  dpkg-deb --field "$scratch"/packages/"${package}"_*.deb Package Version >"$folder/complete"
  exit 0
done
exit 1

#!/bin/sh
# Fetch the front-end packages into static/vendor/, unmodified and only the files that are used.
# A newer version: change it here with its SHA-256, run this, and mend the paths in
# templates/base.html and the table in static/vendor/README.md. Needs npm, tar and sha256sum.
set -eu

BOOTSTRAP=5.3.9
BOOTSTRAP_SHA256=06bdf78289c3c12ea99d40df84eedf6278c724c73eebf38f11f3a65b44ec8c94
ICONS=1.13.2
ICONS_SHA256=7b5960145e1ab14a49a117f96a9e5a54a94fdf07f21e302d9e4f88d73dd19f9c

target=$(cd "$(dirname "$0")/../static/vendor" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# unpack PACKAGE VERSION SHA256 FILE...
unpack() {
  package=$1 version=$2 sha256=$3
  shift 3
  (
    cd "$work"
    npm pack --silent "$package@$version" >/dev/null
    echo "$sha256  $package-$version.tgz" | sha256sum --check --quiet
    mkdir -p "$package"
    tar -xzf "$package-$version.tgz" -C "$package" --strip-components=1
  )
  rm -rf "$target/$package"-*
  for file in "$@"; do
    place=$target/$package-$version/${file#dist/}
    mkdir -p "$(dirname "$place")"
    install -m 644 "$work/$package/$file" "$place"
  done
  echo "$package $version"
}

# The maps and the .woff are named by the style sheets, and collectstatic insists on them.
unpack bootstrap "$BOOTSTRAP" "$BOOTSTRAP_SHA256" \
  LICENSE \
  dist/css/bootstrap.min.css dist/css/bootstrap.min.css.map \
  dist/css/bootstrap.rtl.min.css dist/css/bootstrap.rtl.min.css.map
unpack bootstrap-icons "$ICONS" "$ICONS_SHA256" \
  LICENSE \
  font/bootstrap-icons.min.css \
  font/fonts/bootstrap-icons.woff font/fonts/bootstrap-icons.woff2

#!/bin/sh
# Fetch the front-end packages into static/vendor/, unmodified and only the files that are used.
# A newer version: change it here with its SHA-256, run this, and mend the paths in templates/
# and the table in static/vendor/README.md. Needs npm, tar and sha256sum.
set -eu

BOOTSTRAP=5.3.9
BOOTSTRAP_SHA256=06bdf78289c3c12ea99d40df84eedf6278c724c73eebf38f11f3a65b44ec8c94
ICONS=1.13.2
ICONS_SHA256=7b5960145e1ab14a49a117f96a9e5a54a94fdf07f21e302d9e4f88d73dd19f9c
TUS=4.3.1
TUS_SHA256=919f46808b2c689be9214df5c0f21879bee4a4599b34e212ada8f14de1db9bc0

target=$(cd "$(dirname "$0")/../static/vendor" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch PACKAGE VERSION SHA256
fetch() (
  cd "$work"
  npm pack --silent "$1@$2" >/dev/null
  echo "$3  $1-$2.tgz" | sha256sum --check --quiet
  mkdir -p "$1"
  tar -xzf "$1-$2.tgz" -C "$1" --strip-components=1
)

# unpack PACKAGE VERSION SHA256 FILE...
unpack() {
  fetch "$1" "$2" "$3"
  package=$1 version=$2
  shift 3
  rm -rf "$target/$package"-*
  for file in "$@"; do
    place=$target/$package-$version/${file#dist/}
    mkdir -p "$(dirname "$place")"
    install -m 644 "$work/$package/$file" "$place"
  done
  echo "$package $version"
}

# licence FILE PACKAGE VERSION SHA256: append the licence of a package to a file
licence() {
  fetch "$2" "$3" "$4"
  { echo "== $2 $3"; cat "$work/$2"/LICENSE*; echo; } >>"$1"
}

# The maps and the .woff are named by the other files, and collectstatic insists on them.
unpack bootstrap "$BOOTSTRAP" "$BOOTSTRAP_SHA256" \
  LICENSE \
  dist/css/bootstrap.min.css dist/css/bootstrap.min.css.map \
  dist/css/bootstrap.rtl.min.css dist/css/bootstrap.rtl.min.css.map
unpack bootstrap-icons "$ICONS" "$ICONS_SHA256" \
  LICENSE \
  font/bootstrap-icons.min.css \
  font/fonts/bootstrap-icons.woff font/fonts/bootstrap-icons.woff2
unpack tus-js-client "$TUS" "$TUS_SHA256" LICENSE dist/tus.min.js dist/tus.min.js.map
# Other packages are built into it, and their licences want to be told.
bundled=$target/tus-js-client-$TUS/LICENSE.bundled
licence "$bundled" base64-js 1.5.1 b1b7a945b52685269083425216d6597e33d97bf21699d656e92fdb3eb5210a85
licence "$bundled" buffer 5.2.1 f4e32d23041abf7f4f5cfd7ce2db17d772763237cad2bddc4e556793e19b0a3e
licence "$bundled" ieee754 1.2.1 8ef14b9b397e339db89db97881fb714f49319d8f0eb1275901f45567b28f9dac
licence "$bundled" js-base64 3.7.7 097efa419e4ee43214424e0719f29ed8bcb7584c507e48d0f06246efb99342c3
licence "$bundled" querystringify 2.2.0 fbb07a2a8c58d951fbc574c0179034c07ffc295c31f6b4e3c6d90f3adc2a6bfa
licence "$bundled" requires-port 1.0.0 6150769f202060d925a510d13afa2fbf0b1154bb59ccc766935719ff1605c6e2
licence "$bundled" url-parse 1.5.10 714aa16ce764f7d51a4a35afe13ad813b948a1ea1b3d4dc49d1407c45d2e080a

#!/bin/bash
# Uploads a file with curl, going on where an earlier run of this program was ended.
#
#     upload.sh ENDPOINT FILE STATE [length|chunked|deferred]
#
# Prints the upload's address, which it keeps in the file STATE. "chunked" sends no Content-Length,
# "deferred" tells how long the file is only when it sends it.
set -eu
endpoint=$1 file=$2 state=$3 framing=${4:-length}
size=$(stat -c %s "$file")
origin=$(printf %s "$endpoint" | cut -d/ -f1-3)
tus=(curl -sS -f -H 'Tus-Resumable: 1.0.0')

# Prints the value of a header of what comes in.
header() { tr -d '\r' | sed -n "s/^$1: *//Ip"; }

create() {
    name=$(basename "$file" | tr -d '\n' | base64 -w0)
    length="Upload-Length: $size"
    [ "$framing" != deferred ] || length='Upload-Defer-Length: 1'
    location=$("${tus[@]}" -D - -o /dev/null -X POST -H "$length" \
        -H "Upload-Metadata: filename $name" "$endpoint" | header location)
    [ -n "$location" ] || return 1
    case $location in /*) location=$origin$location ;; esac
    printf %s "$location" > "$state.new"
    mv "$state.new" "$state"
}

# Sends what comes after the first $1 bytes. From a pipe: to an address that ends in a slash
# curl would add the name of a file.
send() {
    patch=("${tus[@]}" -o /dev/null -X PATCH -H "Upload-Offset: $1"
        -H 'Content-Type: application/offset+octet-stream')
    case $framing in
        length) patch+=(-H "Content-Length: $((size - $1))" -H 'Transfer-Encoding:') ;;
        deferred) patch+=(-H "Upload-Length: $size") ;;
    esac
    tail -c "+$(($1 + 1))" "$file" | "${patch[@]}" -T - "$url"
}

for _ in $(seq 40); do
    if [ ! -s "$state" ] && ! create; then
        sleep 0.5
        continue
    fi
    url=$(cat "$state")
    status=0
    head=$("${tus[@]}" -I "$url") || status=$?
    if [ "$status" = 22 ] && printf %s "$head" | grep -qE '^HTTP/[0-9.]+ (403|404|410)'; then
        rm "$state"
        continue
    fi
    offset=$(printf '%s\n' "$head" | header upload-offset)
    # A length that was deferred is told by a piece, be it one without bytes.
    if [ "$offset" = "$size" ] && [ "$(printf '%s\n' "$head" | header upload-length)" = "$size" ]; then
        printf '%s\n' "$url"
        exit 0
    fi
    if [ -z "$offset" ] || ! send "$offset"; then
        sleep 0.5
    fi
done
echo "Tried often enough." >&2
exit 1

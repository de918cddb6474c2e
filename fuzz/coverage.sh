#!/bin/sh
# For RUSTC_WORKSPACE_WRAPPER: compiles the relay and the fuzz targets with the coverage counters that libFuzzer reads.
# Dependencies have none, so the builds of the tests serve here too.
case " $* " in
    *' build_script_build '*) exec "$@" ;; # It is not linked with libFuzzer.
esac
exec "$@" --cfg fuzzing -C passes=sancov-module \
    -C llvm-args=-sanitizer-coverage-level=4 \
    -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
    -C llvm-args=-sanitizer-coverage-pc-table \
    -C llvm-args=-sanitizer-coverage-trace-compares

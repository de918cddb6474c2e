//! Integration tests: the real binary on a port of its own, real clients. One program, so that it is linked once.

mod support;

mod smoke;

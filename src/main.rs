//! The program `gischat-relay`; see [`gischat_relay::cli`].

use std::process::ExitCode;

/// Returns free memory to the system within seconds. After a peak, the allocator of the C library would keep most of it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    gischat_relay::cli::main()
}

//! The settings of wasmtime's compiler.

use wasmtime::Engine;

use super::limits::MAX_MEMORY;

/// The settings of the compiler, the same in the relay and in child processes.
pub(super) fn engine_config() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        // Not the default of 4 GiB each: a system may have less address space in total.
        .memory_reservation(MAX_MEMORY as u64)
        .wasm_component_model(true)
        .wasm_backtrace_max_frames(None);
    config
}

/// An engine that only compiles, with artifacts that the engine of a [`Sandbox`](super::Sandbox) can run.
///
/// # Errors
/// If there is no compiler for this machine.
pub(super) fn compile_only() -> wasmtime::Result<Engine> {
    Engine::new(&engine_config())
}

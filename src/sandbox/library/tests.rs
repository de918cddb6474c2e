//! Reloads of plugins in a folder, with the plugin in `tests/guests/raw.wat`.

use std::fs;

use super::super::budget::Reservation;
use super::super::compiler::PluginCompiler;
use super::super::limits::{OperatorLimits, PluginLimits};
use super::super::stats::PluginEvent;
use super::*;

/// Memory of one instance, in bytes: one page and a table of one element.
const INSTANCE_MEMORY: usize = 64 * 1024 + 8;

/// A library with the plugin `raw`, whose instances may have `memory` bytes together.
async fn open(memory: usize) -> (tempfile::TempDir, Arc<Library>) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("raw")).unwrap();
    fs::write(dir.path().join("raw/filter.wat"), include_str!("../../../tests/guests/raw.wat")).unwrap();
    let max = PluginLimits { configure_deadline: Duration::from_secs(30), ..PluginLimits::for_component_size(0) };
    let config = Config {
        dir: Some(dir.path().to_owned()),
        order: Vec::new(),
        embedded: false,
        threads: 1,
        memory,
        cache_dir: None,
        start_wait: Duration::from_mins(1),
        limits: OperatorLimits { max, default_deadline: max.deadline },
        compiler: PluginCompiler::InProcess,
    };
    let sandbox = Arc::new(Sandbox::new(config.threads, config.memory, None).unwrap());
    let library = Library::open(sandbox, config).await.unwrap();
    assert_eq!(version(&library), None);
    (dir, library)
}

/// Changes the version in the manifest.
fn set_version(dir: &tempfile::TempDir, version: &str) {
    fs::write(dir.path().join("raw/plugin.toml"), format!("version = '{version}'")).unwrap();
}

/// The version of the running plugin in its manifest. Panics if the plugin is not loaded.
fn version(library: &Library) -> Option<String> {
    let catalog = library.current();
    let entry = catalog.entry("raw").unwrap();
    assert!(entry.plugin.is_ok(), "{:?}", entry.plugin);
    entry.manifest.version.clone()
}

#[tokio::test]
async fn a_plugin_whose_update_finds_no_memory_keeps_running_and_is_updated_later() {
    let (dir, library) = open(2 * INSTANCE_MEMORY).await;
    // Another plugin uses the memory for the instance of the new version.
    let mut other = Reservation::new(Arc::clone(&library.sandbox.budget));
    other.grow(INSTANCE_MEMORY).unwrap();
    let mut events = library.sandbox.events();
    set_version(&dir, "2");
    for _ in 0..3 {
        library.reload().await.unwrap();
        assert_eq!(version(&library), None);
        let errors = library.current().errors();
        let expected = "filter.wat: not enough memory at the moment (filter.plugins.total_memory_mib)";
        assert!(matches!(errors.as_slice(), [one] if one.ends_with(expected)));
        assert!(library.current().has_deferred());
    }
    // Moderators are told once.
    let text = |event: PluginEvent| format!("{}: {:?}", event.plugin, event.kind);
    let failed = events.try_recv().map(text).unwrap();
    assert!(failed.starts_with("raw: LoadFailed") && failed.contains("not enough memory"), "{failed}");
    assert!(events.try_recv().is_err());
    drop(other);
    library.load(LoadOptions { load_mode: LoadMode::Complete, retry_failed: false }).await.unwrap();
    assert_eq!(version(&library).as_deref(), Some("2"));
    assert_eq!(library.current().errors(), Vec::<String>::new());
    assert!(library.loaded_stamps.lock().await.is_some());
}

/// The error of a task that panicked.
async fn panicked() -> tokio::task::JoinError {
    tokio::spawn(async { panic!("on purpose") }).await.unwrap_err()
}

#[tokio::test]
async fn a_load_that_panics_is_an_error_and_counts_as_not_loaded() {
    let (_dir, library) = open(2 * INSTANCE_MEMORY).await;
    // As it is during a load.
    let mut stamps = None;
    let found = library.config.stamps().unwrap();
    let error = library.conclude(Err(panicked().await), &mut stamps, found).unwrap_err();
    assert!(matches!(error, LibraryError::Interrupted { .. }) && error.to_string().contains("on purpose"), "{error}");
    assert!(stamps.is_none() && library.degraded.contains(Subsystem::Plugins));
}

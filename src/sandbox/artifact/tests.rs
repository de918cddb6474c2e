//! Which artifacts are trusted, which are not, and which are removed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

const COMPONENT: &[u8] = b"(component)";

fn compiled(engine: &Engine) -> CompiledPlugin {
    CompiledPlugin::Component(Component::from_binary(engine, &wat::parse_bytes(COMPONENT).unwrap()).unwrap())
}

fn cache(engine: &Engine) -> (tempfile::TempDir, ArtifactCache) {
    let dir = tempfile::tempdir().unwrap();
    let cache = ArtifactCache::open(&dir.path().join("cache")).unwrap();
    cache.artifact(engine, COMPONENT).put(&compiled(engine)).unwrap();
    (dir, cache)
}

fn only_file(cache: &ArtifactCache) -> PathBuf {
    let files: Vec<_> = fs::read_dir(&cache.path).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn a_cached_artifact_is_found_for_its_component_only() {
    let engine = Engine::default();
    let (_dir, cache) = cache(&engine);
    assert!(cache.artifact(&engine, COMPONENT).get(&engine).is_some());
    assert!(cache.artifact(&engine, b"(component )").get(&engine).is_none());
}

#[test]
fn an_engine_with_other_settings_does_not_find_the_artifact() {
    let engine = Engine::default();
    let (_dir, cache) = cache(&engine);
    let other = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
    assert!(cache.artifact(&other, COMPONENT).get(&other).is_none());
}

#[test]
fn a_modified_artifact_is_not_trusted() {
    let engine = Engine::default();
    let (_dir, cache) = cache(&engine);
    let file = only_file(&cache);
    let whole = fs::read(&file).unwrap();
    for (at, place) in [(0, "digest"), (DIGEST_BYTES, "first byte"), (whole.len() - 1, "last byte")] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert!(cache.artifact(&engine, COMPONENT).get(&engine).is_none(), "{place}");
    }
    for length in [0, 1, DIGEST_BYTES, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        assert!(cache.artifact(&engine, COMPONENT).get(&engine).is_none(), "{length} bytes");
    }
}

#[test]
fn a_folder_that_others_may_write_to_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cache");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(ArtifactCache::open(&folder), Err(CacheError::Insecure(_))));
    std::os::unix::fs::symlink(dir.path(), dir.path().join("link")).unwrap();
    assert!(matches!(ArtifactCache::open(&dir.path().join("link")), Err(CacheError::Folder { .. })));
}

#[test]
fn replacing_the_folder_does_not_affect_an_open_cache() {
    let engine = Engine::default();
    let (dir, cache) = cache(&engine);
    fs::rename(&cache.path, dir.path().join("elsewhere")).unwrap();
    fs::create_dir(&cache.path).unwrap();
    assert!(cache.artifact(&engine, COMPONENT).get(&engine).is_some());
}

#[test]
fn artifacts_in_use_stay_and_the_oldest_others_are_removed_first() {
    let dir = tempfile::tempdir().unwrap();
    let cache = ArtifactCache::open(&dir.path().join("cache")).unwrap();
    let now = SystemTime::now();
    for (name, mib, hours) in [
        ("used.cwasm", 200, 9),
        ("old.cwasm", 200, 8),
        ("new.cwasm", 200, 1),
        ("a.cwasm.1-0", 1, 2),
        ("b.cwasm.2-0", 1, 0),
    ] {
        let file = File::create_new(cache.path.join(name)).unwrap();
        file.set_len(mib * 1024 * 1024).unwrap();
        file.set_modified(now - Duration::from_hours(hours)).unwrap();
    }
    cache.clean(&HashSet::from(["used.cwasm"])).unwrap();
    let mut left: Vec<_> = fs::read_dir(&cache.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["b.cwasm.2-0", "new.cwasm", "used.cwasm"]);
}

#[test]
fn a_file_that_others_may_write_to_is_not_trusted() {
    let engine = Engine::default();
    let (_dir, cache) = cache(&engine);
    fs::set_permissions(only_file(&cache), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(cache.artifact(&engine, COMPONENT).get(&engine).is_none());
}

#[test]
fn a_probe_reports_the_errors_of_opening_and_creates_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cache");
    ArtifactCache::probe(&path).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    fs::write(&path, "").unwrap();
    assert_eq!(
        ArtifactCache::probe(&path).unwrap_err().to_string(),
        ArtifactCache::open(&path).unwrap_err().to_string()
    );
    fs::remove_file(&path).unwrap();
    ArtifactCache::open(&path).unwrap();
    ArtifactCache::probe(&path).unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(ArtifactCache::probe(&path), Err(CacheError::Insecure(_))));
    let nowhere = dir.path().join("nowhere/cache");
    assert_eq!(
        ArtifactCache::probe(&nowhere).unwrap_err().to_string(),
        ArtifactCache::open(&nowhere).unwrap_err().to_string()
    );
}

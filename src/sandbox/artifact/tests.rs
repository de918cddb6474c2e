//! What is believed, what is not, and what is removed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

const COMPONENT: &[u8] = b"(component)";

fn compiled(engine: &Engine) -> Compiled {
    Compiled::Component(Component::from_binary(engine, &wat::parse_bytes(COMPONENT).unwrap()).unwrap())
}

fn cache(engine: &Engine) -> (tempfile::TempDir, Cache) {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::open(&dir.path().join("cache")).unwrap();
    cache.place(engine, COMPONENT).put(&compiled(engine)).unwrap();
    (dir, cache)
}

fn only_file(cache: &Cache) -> PathBuf {
    let files: Vec<_> = fs::read_dir(&cache.path).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn what_was_put_is_found_again_and_nothing_else() {
    let engine = Engine::default();
    let (_dir, cache) = cache(&engine);
    assert!(cache.place(&engine, COMPONENT).get(&engine).is_some());
    assert!(cache.place(&engine, b"(component )").get(&engine).is_none());
}

#[test]
fn another_engine_does_not_find_it() {
    let engine = Engine::default();
    let (_dir, cache) = cache(&engine);
    let other = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
    assert!(cache.place(&other, COMPONENT).get(&other).is_none());
}

#[test]
fn what_was_tampered_with_is_not_believed() {
    let engine = Engine::default();
    let (_dir, cache) = cache(&engine);
    let file = only_file(&cache);
    let whole = fs::read(&file).unwrap();
    for (at, what) in [(0, "digest"), (DIGEST, "first byte"), (whole.len() - 1, "last byte")] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert!(cache.place(&engine, COMPONENT).get(&engine).is_none(), "{what}");
    }
    for length in [0, 1, DIGEST, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        assert!(cache.place(&engine, COMPONENT).get(&engine).is_none(), "{length} bytes");
    }
}

#[test]
fn a_folder_that_others_may_write_to_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cache");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Cache::open(&folder), Err(CacheError::Open(_))));
    std::os::unix::fs::symlink(dir.path(), dir.path().join("link")).unwrap();
    assert!(matches!(Cache::open(&dir.path().join("link")), Err(CacheError::Folder { .. })));
}

#[test]
fn a_folder_that_is_put_in_its_place_is_another_one() {
    let engine = Engine::default();
    let (dir, cache) = cache(&engine);
    fs::rename(&cache.path, dir.path().join("elsewhere")).unwrap();
    fs::create_dir(&cache.path).unwrap();
    assert!(cache.place(&engine, COMPONENT).get(&engine).is_some());
}

#[test]
fn what_is_in_use_stays_and_the_oldest_of_the_rest_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::open(&dir.path().join("cache")).unwrap();
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
fn a_file_that_others_could_write_to_is_not_believed() {
    let engine = Engine::default();
    let (_dir, cache) = cache(&engine);
    fs::set_permissions(only_file(&cache), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(cache.place(&engine, COMPONENT).get(&engine).is_none());
}

#[test]
fn a_probe_finds_what_opening_finds_and_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cache");
    Cache::probe(&path).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    fs::write(&path, "").unwrap();
    assert_eq!(Cache::probe(&path).unwrap_err().to_string(), Cache::open(&path).unwrap_err().to_string());
    fs::remove_file(&path).unwrap();
    Cache::open(&path).unwrap();
    Cache::probe(&path).unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Cache::probe(&path), Err(CacheError::Open(_))));
    let nowhere = dir.path().join("nowhere/cache");
    assert_eq!(Cache::probe(&nowhere).unwrap_err().to_string(), Cache::open(&nowhere).unwrap_err().to_string());
}

use super::*;

async fn child(script: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let arguments = ["-c".to_owned(), script.to_owned()];
    compile_in_child(Path::new("/bin/sh"), &arguments, bytes).await.unwrap()
}

#[tokio::test]
async fn the_standard_output_of_the_process_is_the_artifact() {
    let bytes = vec![7; 1_000_000];
    assert!(child("/bin/cat", &bytes).await.is_ok_and(|artifact| artifact == bytes));
}

#[tokio::test]
async fn the_standard_error_of_the_process_is_the_error() {
    assert_eq!(child("/bin/cat > /dev/null; echo 'is no wasm' >&2; exit 1", b"x").await, Err("is no wasm".into()));
}

#[tokio::test]
async fn a_crashed_process_is_distinguished_from_one_that_rejects_the_plugin() {
    let error = child("kill -KILL $$", b"x").await.unwrap_err();
    assert!(error.starts_with("crashed the compiler (signal: 9"), "{error}");
}

#[tokio::test]
async fn a_process_stopped_from_outside_did_not_crash() {
    for signal in ["HUP", "INT", "TERM"] {
        let error = child(&format!("kill -{signal} $$"), b"x").await.unwrap_err();
        assert!(error.starts_with("was not compiled: the compiler was stopped from outside"), "{error}");
    }
}

#[tokio::test]
async fn a_process_does_not_get_the_signals_of_the_terminal() {
    let group = child("/bin/cat > /dev/null; /bin/ps -o pgid= -p $$", b"x").await.unwrap();
    let own = rustix::process::getpgrp().as_raw_nonzero().to_string();
    assert_ne!(String::from_utf8(group).unwrap().trim(), own);
}

#[tokio::test]
async fn a_long_error_message_is_truncated_and_does_not_block_the_process() {
    let message = child("/usr/bin/head -c 1000000 /dev/zero | /usr/bin/tr '\\0' x >&2; exit 1", b"").await.unwrap_err();
    assert_eq!(message.len() as u64, MAX_STDERR_BYTES);
}

#[tokio::test]
async fn a_process_that_does_not_read_its_input_causes_no_error() {
    assert_eq!(child("exec < /dev/null; exit 0", &vec![0; 1_000_000]).await, Ok(Vec::new()));
}

#[tokio::test]
async fn without_a_child_process_only_small_files_are_compiled() {
    let missing = PluginCompiler::ChildProcess { program: "/nonexistent".into(), arguments: Vec::new() };
    let small = missing.compile(&Engine::default(), b"(component)".to_vec()).await;
    assert!(small.is_err_and(|error| error.starts_with("is not a filter")));
    let large = missing.compile(&Engine::default(), vec![b' '; LARGE_BYTES + 1]).await;
    assert!(large.is_err_and(|error| error.starts_with("cannot start a process to compile it")));
}

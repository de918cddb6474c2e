//! The limit of file descriptors. Each connection needs one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one, which a process may do by itself. Many systems set the soft limit to 1 024 for
/// the sake of programs that use `select`. Logs one line, also if the limit is lower than the `wanted` number.
pub(super) fn raise_limit(wanted: usize) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    let limit = if raised { maximum } else { current };
    let shown = |limit: Option<u64>| limit.map_or("none".to_owned(), |limit| limit.to_string());
    let (before, limit_shown) = (shown(current), shown(limit));
    if limit.is_some_and(|limit| limit < u64::try_from(wanted).unwrap_or(u64::MAX)) {
        tracing::warn!(
            limit = limit_shown,
            before,
            max_connections = wanted,
            "the limit of file descriptors is below server.max_connections; raise it (ulimit -Hn, LimitNOFILE)"
        );
    } else if raised {
        tracing::info!(limit = limit_shown, before, "limit of file descriptors raised");
    }
}

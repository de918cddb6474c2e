//! Suggestions for variables whose names resemble those of settings.

/// Longest name that is compared, in bytes.
const MAX_NAME: usize = 64;

/// Prefixes that users may expect on the relay's variables.
const PREFIXES: [&str; 3] = ["RELAY_", "GISCHAT_", "GISCHAT_RELAY_"];

/// Returns the known variable closest to an unknown one, if one is close enough to suggest. `known_names` contains no
/// empty name.
pub(super) fn suggest<'a>(name: &str, known_names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_NAME {
        return None;
    }
    let name = name.to_ascii_uppercase();
    let without_prefix = PREFIXES.iter().filter_map(|prefix| name.strip_prefix(prefix));
    let forms: Vec<String> = without_prefix.chain([name.as_str()]).map(folded).collect();
    // `LISTEN_FDS` is not a misspelt `LISTEN`, and Kubernetes sets `RULES_PORT` for a service named `rules`.
    let extended = |known: &str| name.strip_prefix(known).is_some_and(|rest| rest.starts_with('_'));
    let near = known_names.into_iter().filter(|known| !extended(known)).filter_map(|known| {
        let folded = folded(known);
        let limit = max_distance(folded.len());
        let similar = forms.iter().filter(|form| form.len().abs_diff(folded.len()) <= limit);
        let distance = similar.map(|form| strsim::osa_distance(form, &folded)).min()?;
        (distance <= limit).then_some((distance, known))
    });
    near.min().map(|(_, known)| known)
}

/// Removes separators, which are the most common mistake.
fn folded(name: &str) -> String {
    name.replace(['_', '-', '.'], "")
}

/// Returns how many letters of a name of this length may differ. Short names are too similar to other words.
fn max_distance(length: usize) -> usize {
    match length {
        0..=3 => 0,
        4..=8 => 1,
        9..=11 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [&str; 6] = ["ROOMS", "LISTEN", "LOG_LEVEL", "TRUSTED_PROXIES", "RELAY__LIVE__SHARDS", "RULES"];

    #[test]
    fn misspelt_and_prefixed_names_get_a_suggestion() {
        for (name, wanted) in [
            ("ROMS", "ROOMS"),
            ("ROOM", "ROOMS"),
            ("rooms", "ROOMS"),
            ("RELAY_ROOMS", "ROOMS"),
            ("GISCHAT_ROOM", "ROOMS"),
            ("GISCHAT_RELAY_RULES", "RULES"),
            ("RELAY_LISTEN", "LISTEN"),
            ("LOGLEVEL", "LOG_LEVEL"),
            ("LOG-LEVEL", "LOG_LEVEL"),
            ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
            ("RELAY_LIVE_SHARDS", "RELAY__LIVE__SHARDS"),
        ] {
            assert_eq!(suggest(name, OURS), Some(wanted), "{name}");
        }
    }

    #[test]
    fn unrelated_names_get_no_suggestion() {
        for name in
            ["HOME", "LISTEN_FDS", "RULES_PORT", "RELAY_PORT", "LOG_DIR", "LOG_FILE", "ROOT", "TRUSTED", "_", ""]
        {
            assert_eq!(suggest(name, OURS), None, "{name}");
        }
        assert_eq!(suggest(&"ROOMS".repeat(20), OURS), None);
    }
}

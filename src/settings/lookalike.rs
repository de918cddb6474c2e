//! Variables whose names are nearly those of settings.

/// Longest name that is compared. Bytes.
const MAX_NAME: usize = 64;

/// Prefixes under which a variable of ours may be expected.
const PREFIXES: [&str; 3] = ["RELAY_", "GISCHAT_", "GISCHAT_RELAY_"];

/// The name of ours that an unknown variable was probably meant to be, if one is near. `ours` holds no empty name.
pub(super) fn meant<'a>(name: &str, ours: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_NAME {
        return None;
    }
    let name = name.to_ascii_uppercase();
    let without_prefix = PREFIXES.iter().filter_map(|prefix| name.strip_prefix(prefix));
    let forms: Vec<String> = without_prefix.chain([name.as_str()]).map(folded).collect();
    // `LISTEN_FDS` is another variable than `LISTEN`, and `RULES_PORT` is Kubernetes' word for a service `rules`.
    let extended = |known: &str| name.strip_prefix(known).is_some_and(|behind| behind.starts_with('_'));
    let near = ours.into_iter().filter(|known| !extended(known)).filter_map(|known| {
        let wanted = folded(known);
        let far = farthest(wanted.len());
        let alike = forms.iter().filter(|form| form.len().abs_diff(wanted.len()) <= far);
        let distance = alike.map(|form| strsim::osa_distance(form, &wanted)).min()?;
        (distance <= far).then_some((distance, known))
    });
    near.min().map(|(_, known)| known)
}

/// A name without its underscores, which are what most names are mistaken in.
fn folded(name: &str) -> String {
    name.replace(['_', '-', '.'], "")
}

/// How many letters of a name of this length may be wrong: short words are too near to others.
fn farthest(length: usize) -> usize {
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
    fn a_slip_a_missing_underscore_and_a_prefix_are_seen_through() {
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
            assert_eq!(meant(name, OURS), Some(wanted), "{name}");
        }
    }

    #[test]
    fn another_word_is_no_slip() {
        for name in
            ["HOME", "LISTEN_FDS", "RULES_PORT", "RELAY_PORT", "LOG_DIR", "LOG_FILE", "ROOT", "TRUSTED", "_", ""]
        {
            assert_eq!(meant(name, OURS), None, "{name}");
        }
        assert_eq!(meant(&"ROOMS".repeat(20), OURS), None);
    }
}

//! What a link is, and where it leads.

/// Top-level domains that are known well enough for `name.tld/` to be a link without saying so. Others would find links
/// in file names and versions.
const KNOWN: &[&str] = &[
    "ai", "app", "at", "be", "biz", "br", "ca", "cc", "ch", "click", "cn", "co", "com", "cz", "de", "dev", "dk", "es",
    "eu", "fi", "fr", "gg", "gl", "gov", "gy", "in", "info", "io", "it", "jp", "ly", "me", "net", "nl", "no", "online",
    "org", "pl", "pt", "ru", "se", "shop", "site", "store", "su", "to", "top", "tv", "uk", "us", "vip", "xyz",
];

/// Finds links in a folded text, up to the end of their host.
///
/// What comes after the host is left to be searched on: an address within an address leads somewhere, too. Links
/// without a scheme do not begin in the middle of something else, such as a path.
pub(crate) fn expression() -> String {
    let host = r#"[^\s/?#\\<>"']*"#;
    let begin = r"(?:^|[^\p{L}\p{N}@/\\._~%=&?#+-])";
    let label = r"[\p{L}\p{N}][\p{L}\p{N}-]*\.";
    let known = KNOWN.join("|");
    format!(r"[a-z][a-z0-9+.-]+://+{host}|{begin}www\.{host}|{begin}(?:{label})+(?:{known})/")
}

/// The host that a match of the expression leads to. Nothing for what leads to no public place: a file, a placeholder,
/// a name of a local network.
pub(crate) fn host(link: &str) -> Option<String> {
    let authority = match link.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, authority)) => authority.trim_start_matches('/'),
        None => link.trim_start_matches(|c: char| !c.is_alphanumeric()).trim_end_matches('/'),
    };
    // `https://osgeo.org@evil.example` leads to evil.example.
    let (_, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    if let Some((address, _)) = place.strip_prefix('[').and_then(|place| place.split_once(']')) {
        return Some(address.to_owned());
    }
    let (name, _port) = place.split_once(':').unwrap_or((place, ""));
    // Browsers take the full stop of Chinese and Japanese for a point.
    let name = name.replace('。', ".");
    let name = name.trim_matches(|c: char| !c.is_alphanumeric());
    let is_public = name.contains('.') || name.starts_with(|c: char| c.is_ascii_digit());
    is_public.then(|| name.to_owned())
}

/// A domain of the settings, as hosts are written; nothing if it is none.
pub(crate) fn domain(setting: &str) -> Option<String> {
    let domain = setting.trim().trim_start_matches("*.").trim_matches('.').to_lowercase();
    let is_domain = !domain.is_empty() && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    is_domain.then_some(domain)
}

//! Finds links and their hosts.

/// Common top-level domains, for which `name.tld/` counts as a link without a scheme. Others would match file names and
/// versions.
const KNOWN: &[&str] = &[
    "ai", "app", "at", "be", "biz", "br", "ca", "cc", "ch", "click", "cn", "co", "com", "cz", "de", "dev", "dk", "es",
    "eu", "fi", "fr", "gg", "gl", "gov", "gy", "in", "info", "io", "it", "jp", "ly", "me", "net", "nl", "no", "online",
    "org", "pl", "pt", "ru", "se", "shop", "site", "store", "su", "to", "top", "tv", "uk", "us", "vip", "xyz",
];

/// Returns an expression that matches links in a folded text, up to the end of the host.
///
/// The rest of a link is searched again, because it may contain another link. Links without a scheme do not start
/// within something else, such as a path.
pub(crate) fn expression() -> String {
    let host = r#"[^\s/?#\\<>"']*"#;
    let begin = r"(?:^|[^\p{L}\p{N}@/\\._~%=&?#+-])";
    let label = r"[\p{L}\p{N}][\p{L}\p{N}-]*\.";
    let known = KNOWN.join("|");
    format!(r"[a-z][a-z0-9+.-]+://+{host}|{begin}www\.{host}|{begin}(?:{label})+(?:{known})/")
}

/// Returns the host of a match of the expression; `None` for a file, a placeholder or a local name.
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
    // Browsers treat the Chinese and Japanese full stop as a dot.
    let name = name.replace('。', ".");
    let name = name.trim_matches(|c: char| !c.is_alphanumeric());
    let is_public = name.contains('.') || name.starts_with(|c: char| c.is_ascii_digit());
    is_public.then(|| name.to_owned())
}

/// Normalizes a domain from the settings; `None` if it is not a domain.
pub(crate) fn domain(setting: &str) -> Option<String> {
    let domain = setting.trim().trim_start_matches("*.").trim_matches('.').to_lowercase();
    let is_domain = !domain.is_empty() && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    is_domain.then_some(domain)
}

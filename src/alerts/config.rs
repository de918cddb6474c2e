//! Settings of alerts.

use std::fmt;
use std::sync::Arc;

use ureq::http::Uri;

use super::signature::SigningKey;
use crate::settings::{Quotes, Section, Setting, SettingValue};

/// Minimum length of the secret, in bytes.
const MIN_SECRET: usize = 16;
/// Maximum length of the secret, in bytes.
const MAX_SECRET: usize = 256;
/// Maximum length of the URL, in bytes.
const MAX_URL: usize = 2_000;
/// Default for alerts per minute.
const PER_MINUTE: u32 = 6;
/// Maximum length of the name of the instance, in characters.
const MAX_INSTANCE: usize = 64;

/// Settings of alerts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where alerts are posted; `None` disables them.
    pub url: Option<Url>,
    /// The secret that signs alerts.
    pub secret: Option<Secret>,
    /// Maximum number of alerts per minute, of all kinds together.
    pub per_minute: u32,
    /// The name of this relay in alerts.
    pub instance: Option<String>,
}

/// Alerts are disabled.
impl Default for Config {
    fn default() -> Self {
        Self { url: None, secret: None, per_minute: PER_MINUTE, instance: None }
    }
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let url = section.read(
            Setting::new("url", None::<Url>)
                .doc(
                    "URL that alerts are posted to as JSON: a message is held, a breaker trips, a plugin fails, a \
                     raid. http or https, local addresses included; redirects are not followed.",
                )
                .secret(),
        );
        let secret = section.read(
            Setting::new("secret", None::<Secret>)
                .doc(
                    "Key for signing alerts, 16 to 256 bytes: X-Gischat-Signature is the HMAC-SHA256 of \
                     X-Gischat-Timestamp, a dot and the body.",
                )
                .secret(),
        );
        let per_minute = section.read(
            Setting::new("per_minute", PER_MINUTE)
                .doc(
                    "Maximum number of alerts per minute, of all kinds together. The next alert says how many were \
                      suppressed.",
                )
                .within(1..=600),
        );
        let instance = section.read(
            Setting::new("instance", None::<String>)
                .doc("Name of this relay in alerts, up to 64 characters.")
                .check(|name| check_instance(name.as_deref())),
        );
        match (&url, &secret) {
            (Some(_), None) => section.error("url", "requires `secret`, which signs alerts"),
            (None, Some(_)) => section.error("secret", "has no effect without `url`"),
            _ => {}
        }
        Self { url, secret, per_minute, instance }
    }
}

fn check_instance(name: Option<&str>) -> Result<(), String> {
    let length = name.map_or(1, |name| name.chars().count());
    if (1..=MAX_INSTANCE).contains(&length) {
        return Ok(());
    }
    Err(format!("has {length} characters; 1 to {MAX_INSTANCE} are allowed"))
}

/// An http or https URL. The path may contain a secret, so only the host is ever shown.
#[derive(Clone)]
pub struct Url {
    whole: Arc<str>,
    host: Arc<str>,
}

impl Url {
    /// Returns the whole URL, for the request only.
    pub(super) fn reveal(&self) -> &Arc<str> {
        &self.whole
    }

    /// Returns host and port.
    #[must_use]
    pub fn host(&self) -> &Arc<str> {
        &self.host
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Url").field("host", &self.host).finish_non_exhaustive()
    }
}

impl SettingValue for Url {
    const EXPECTED: &'static str = "an http or https address";
    const EXAMPLE: &'static str = "\"https://hooks.example/gischat\"";

    fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > MAX_URL {
            return Err(format!("has {} bytes; at most {MAX_URL} are allowed", text.len()));
        }
        let invalid = || format!("is not {}", Self::EXPECTED);
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        let host = uri.authority().filter(|_| is_http && has_host).ok_or_else(invalid)?.as_str();
        if host.contains('@') {
            return Err("contains a user name, which is not supported; requests are authenticated by their signature"
                .to_owned());
        }
        Ok(Self { whole: text.into(), host: host.into() })
    }

    fn to_toml(&self) -> String {
        format!("{}/…", self.host).to_toml()
    }
}

/// The secret that signs alerts. The text itself is not kept.
#[derive(Clone)]
pub struct Secret(SigningKey);

impl Secret {
    pub(super) fn key(&self) -> &SigningKey {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl SettingValue for Secret {
    const EXPECTED: &'static str = "a text of 16 to 256 bytes";
    const QUOTES: Quotes = Quotes::Allowed;

    fn from_text(text: &str) -> Result<Self, String> {
        if !(MIN_SECRET..=MAX_SECRET).contains(&text.len()) {
            return Err(format!("has {} bytes; {MIN_SECRET} to {MAX_SECRET} are allowed", text.len()));
        }
        SigningKey::new(text.as_bytes()).map(Self).ok_or_else(|| format!("is not {}", Self::EXPECTED))
    }

    fn to_toml(&self) -> String {
        "…".to_owned().to_toml()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingsSource;

    const SECRET: &str = "kohlrabi4711kohlrabi";

    fn read(file: &str) -> (Config, Vec<String>) {
        let mut source = SettingsSource::new().file("relay.toml", file);
        let config = Config::declare(&mut source.root().section("alerts", ""));
        (config, source.finish().errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn alerts_are_disabled_by_default() {
        let (config, errors) = read("");
        assert!(config.url.is_none() && errors.is_empty(), "{errors:?}");
    }

    #[test]
    fn http_urls_of_any_host_are_accepted() {
        for (url, host) in [
            ("https://hooks.example/services/T00/B00?x=1", "hooks.example"),
            ("http://127.0.0.1:9000", "127.0.0.1:9000"),
            (" HTTP://localhost/hook ", "localhost"),
            ("http://[::1]:9000/x", "[::1]:9000"),
        ] {
            let read = Url::from_text(url).unwrap_or_else(|why| panic!("{url} {why}"));
            assert_eq!(&**read.host(), host, "{url}");
        }
    }

    #[test]
    fn other_urls_are_errors() {
        let long = format!("http://x/{}", "y".repeat(MAX_URL));
        for url in ["", "hooks.example", "/hook", "ftp://hooks.example/", "http://", "http:///x", "http://a b/", &long]
        {
            assert!(Url::from_text(url).is_err(), "{url}");
        }
        let error = Url::from_text("http://jane:sesame@hooks.example/").unwrap_err();
        assert!(error.starts_with("contains a user name"), "{error}");
    }

    #[test]
    fn url_and_secret_require_each_other() {
        let (_, errors) = read("[alerts]\nurl = 'http://localhost/'\n");
        assert_eq!(errors, ["relay.toml:2: alerts.url: requires `secret`, which signs alerts"]);
        let (_, errors) = read(&format!("[alerts]\nsecret = '{SECRET}'\n"));
        assert_eq!(errors, ["relay.toml:2: alerts.secret: has no effect without `url`"]);
    }

    #[test]
    fn neither_the_secret_nor_the_path_is_shown() {
        let (config, errors) =
            read(&format!("[alerts]\nurl = 'https://hooks.example/{SECRET}'\nsecret = '{SECRET}'\n"));
        assert!(errors.is_empty(), "{errors:?}");
        let shown = format!("{config:?} {} {}", config.url.to_toml(), config.secret.to_toml());
        assert!(shown.contains("hooks.example") && !shown.contains("kohl"), "{shown}");
        let (_, errors) =
            read(&format!("[alerts]\nurl = '{SECRET}://x'\nsecret = 'kohl'\nper_minute = 0\ninstance = ''\n"));
        assert_eq!(errors.len(), 4, "{errors:?}");
        assert!(!errors.join("").contains("kohl"), "{errors:?}");
    }
}

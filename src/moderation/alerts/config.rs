//! Settings of alerts.

use std::fmt;
use std::sync::Arc;

use ureq::http::Uri;

use super::sign::Key;
use crate::settings::{Quotes, Section, Setting, Value};

/// Shortest secret, in bytes.
const MIN_SECRET: usize = 16;
/// Longest secret, in bytes.
const MAX_SECRET: usize = 256;
/// Longest URL, in bytes.
const MAX_URL: usize = 2_000;
/// Alerts within a minute, where the settings do not say.
const PER_MINUTE: u32 = 6;
/// Longest name of the instance, in characters.
const MAX_INSTANCE: usize = 64;

/// Settings of alerts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where alerts are posted; nowhere when `None`.
    pub url: Option<Url>,
    /// What they are signed with.
    pub secret: Option<Secret>,
    /// How many within a minute, of all kinds together.
    pub per_minute: u32,
    /// What this relay is called in them.
    pub instance: Option<String>,
}

/// Nobody is told.
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
                    "Where alerts are posted as JSON: a message waits for a moderator, a brake was pulled, a plugin is \
                     not well, a raid. An http or https address, also of this machine; redirects are not followed.",
                )
                .secret(),
        );
        let secret = section.read(
            Setting::new("secret", None::<Secret>)
                .doc(
                    "What alerts are signed with, 16 to 256 bytes: X-Gischat-Signature is the HMAC-SHA256 of \
                     X-Gischat-Timestamp, a dot and the body.",
                )
                .secret(),
        );
        let per_minute = section.read(
            Setting::new("per_minute", PER_MINUTE)
                .doc("Most alerts within a minute, of all kinds together. The next one tells how many were held back.")
                .within(1..=600),
        );
        let instance = section.read(
            Setting::new("instance", None::<String>)
                .doc("What this relay is called in alerts, up to 64 characters.")
                .check(|name| check_instance(name.as_deref())),
        );
        match (&url, &secret) {
            (Some(_), None) => section.fault("url", "needs `secret` beside it, which alerts are signed with"),
            (None, Some(_)) => section.fault("secret", "does nothing without `url` beside it"),
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

/// An http or https address. Its path may be as secret as a password, so that only its host is ever shown.
#[derive(Clone)]
pub struct Url {
    whole: Arc<str>,
    host: Arc<str>,
}

impl Url {
    /// All of it, for whoever calls it and for nobody else.
    pub(super) fn reveal(&self) -> &Arc<str> {
        &self.whole
    }

    /// Its host and port.
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

impl Value for Url {
    const EXPECTED: &'static str = "an http or https address";
    const EXAMPLE: &'static str = "\"https://hooks.example/gischat\"";

    fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > MAX_URL {
            return Err(format!("has {} bytes; at most {MAX_URL} are allowed", text.len()));
        }
        let no = || format!("is not {}", Self::EXPECTED);
        let uri: Uri = text.parse().map_err(|_| no())?;
        let of_the_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let named = uri.host().is_some_and(|host| !host.is_empty());
        let host = uri.authority().filter(|_| of_the_web && named).ok_or_else(no)?.as_str();
        if host.contains('@') {
            return Err("has a user's name in it, which is not sent; the signature tells who calls".to_owned());
        }
        Ok(Self { whole: text.into(), host: host.into() })
    }

    fn to_toml(&self) -> String {
        format!("{}/…", self.host).to_toml()
    }
}

/// What alerts are signed with. The text itself is not kept.
#[derive(Clone)]
pub struct Secret(Key);

impl Secret {
    pub(super) fn key(&self) -> &Key {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Value for Secret {
    const EXPECTED: &'static str = "a text of 16 to 256 bytes";
    const QUOTES: Quotes = Quotes::Allowed;

    fn from_text(text: &str) -> Result<Self, String> {
        if !(MIN_SECRET..=MAX_SECRET).contains(&text.len()) {
            return Err(format!("has {} bytes; {MIN_SECRET} to {MAX_SECRET} are allowed", text.len()));
        }
        Key::of(text.as_bytes()).map(Self).ok_or_else(|| format!("is not {}", Self::EXPECTED))
    }

    fn to_toml(&self) -> String {
        "…".to_owned().to_toml()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Source;

    const SECRET: &str = "kohlrabi4711kohlrabi";

    fn read(file: &str) -> (Config, Vec<String>) {
        let mut source = Source::new().file("relay.toml", file);
        let config = Config::declare(&mut source.root().section("alerts", ""));
        (config, source.finish().faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn without_a_word_nobody_is_told() {
        let (config, faults) = read("");
        assert!(config.url.is_none() && faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn addresses_of_the_web_and_of_this_machine_are_taken() {
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
    fn other_addresses_are_faults() {
        let long = format!("http://x/{}", "y".repeat(MAX_URL));
        for url in ["", "hooks.example", "/hook", "ftp://hooks.example/", "http://", "http:///x", "http://a b/", &long]
        {
            assert!(Url::from_text(url).is_err(), "{url}");
        }
        let fault = Url::from_text("http://jane:sesame@hooks.example/").unwrap_err();
        assert!(fault.starts_with("has a user's name in it"), "{fault}");
    }

    #[test]
    fn url_and_secret_belong_together() {
        let (_, faults) = read("[alerts]\nurl = 'http://localhost/'\n");
        assert_eq!(faults, ["relay.toml:2: alerts.url: needs `secret` beside it, which alerts are signed with"]);
        let (_, faults) = read(&format!("[alerts]\nsecret = '{SECRET}'\n"));
        assert_eq!(faults, ["relay.toml:2: alerts.secret: does nothing without `url` beside it"]);
    }

    #[test]
    fn neither_the_secret_nor_the_path_is_shown() {
        let (config, faults) =
            read(&format!("[alerts]\nurl = 'https://hooks.example/{SECRET}'\nsecret = '{SECRET}'\n"));
        assert!(faults.is_empty(), "{faults:?}");
        let shown = format!("{config:?} {} {}", config.url.to_toml(), config.secret.to_toml());
        assert!(shown.contains("hooks.example") && !shown.contains("kohl"), "{shown}");
        let (_, faults) =
            read(&format!("[alerts]\nurl = '{SECRET}://x'\nsecret = 'kohl'\nper_minute = 0\ninstance = ''\n"));
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(!faults.join("").contains("kohl"), "{faults:?}");
    }
}

//! Refuses links to domains that are not allowed.
//!
//! Checks every link of a message. Links to domains in `deny` are refused, links to domains in `allow` pass, and other
//! links are refused for newcomers, or for everybody if `only_allowed` is set. A domain includes its subdomains:
//! `osgeo.org` includes `trac.osgeo.org`.
//!
//! Domains are compared in their Unicode form. To list a domain with non-ASCII letters, list its `xn--` form too.

mod links;

use gischat_filter::regex::Pattern;
use gischat_filter::{Filter, Message, Sender, Verdict, export};
use serde::Deserialize;

/// Longest host in a reason, in characters.
const MAX_SHOWN_CHARS: usize = 100;

/// The `[settings]` of plugin.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Domains that everybody may link to.
    allow: Vec<String>,
    /// Domains that nobody may link to.
    deny: Vec<String>,
    /// Whether nobody may link to any other domain.
    only_allowed: bool,
    /// A newcomer has been connected for a shorter time.
    newcomer_seconds: u64,
    /// A newcomer has had fewer messages accepted.
    newcomer_messages: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allow: vec![], deny: vec![], only_allowed: true, newcomer_seconds: 60, newcomer_messages: 3 }
    }
}

/// The filter.
#[derive(Debug)]
pub struct LinkGuard {
    settings: Settings,
    links: Pattern,
}

impl Filter for LinkGuard {
    type Settings = Settings;

    fn configure(mut settings: Settings) -> Result<Self, String> {
        for (name, domains) in [("allow", &mut settings.allow), ("deny", &mut settings.deny)] {
            for domain in domains {
                *domain = links::domain(domain)
                    .ok_or_else(|| format!("`{name}`: `{domain}` is not a domain; write it like `osgeo.org`"))?;
            }
        }
        Ok(Self { settings, links: Pattern::compile(&links::expression())? })
    }

    fn check(&mut self, message: &Message, sender: &Sender) -> Verdict {
        // Most messages have no link, and a host call costs more than a search for two characters.
        if !message.folded.contains(['/', '.']) {
            return Verdict::pass();
        }
        let found = self.links.find_all(&message.folded);
        let refusal = found
            .iter()
            .filter_map(|link| links::host(link.of(&message.folded)))
            .find_map(|host| self.refusal(&host, sender));
        refusal.map_or_else(Verdict::pass, |reason| Verdict::reject(reason).label("link"))
    }
}

impl LinkGuard {
    /// Returns the reason why this sender may not link to a host, if any.
    fn refusal(&self, host: &str, sender: &Sender) -> Option<String> {
        let Settings { allow, deny, only_allowed, newcomer_seconds, newcomer_messages } = &self.settings;
        let is_newcomer =
            sender.seconds_connected < *newcomer_seconds && sender.accepted < *newcomer_messages && !sender.trusted;
        if is_within(host, deny) {
            Some(format!("Links to {} are not allowed here.", shown(host)))
        } else if is_within(host, allow) {
            None
        } else if is_newcomer {
            Some(format!("Links to {} are not for newcomers: please stay a little first.", shown(host)))
        } else {
            only_allowed.then(|| format!("Links to {} are not allowed here.", shown(host)))
        }
    }
}

/// Whether a host is one of these domains or a subdomain of one.
fn is_within(host: &str, domains: &[String]) -> bool {
    domains.iter().any(|domain| {
        host.strip_suffix(domain.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

/// Truncates a host for a reason, whose length is limited.
fn shown(host: &str) -> String {
    match host.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", host.get(..end).unwrap_or_default()),
        None => host.to_owned(),
    }
}

export!(LinkGuard);

#[cfg(test)]
mod tests;

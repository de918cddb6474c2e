//! Refuses links to where a room does not want to lead.
//!
//! Each link of a message is looked at: one to a domain of `deny` is refused, one to a domain of `allow` passes, and
//! any other is refused to newcomers, and to everybody where `only_allowed` is set. A domain stands for what lies below
//! it: `osgeo.org` for `trac.osgeo.org` as well.
//!
//! Domains are compared as people read them. Whoever lists a name with letters beyond ASCII lists its `xn--` form too.

mod links;

use gischat_filter::regex::Pattern;
use gischat_filter::{Filter, Message, Sender, Verdict, export};
use serde::Deserialize;

/// Characters of a host that a reason shows at most.
const MOST_SHOWN: usize = 100;

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
    /// Who has been connected for less is a newcomer,
    newcomer_seconds: u64,
    /// if fewer messages of theirs have been accepted.
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
                    .ok_or_else(|| format!("`{name}`: `{domain}` is no domain; write it like `osgeo.org`"))?;
            }
        }
        Ok(Self { settings, links: Pattern::compile(&links::expression())? })
    }

    fn check(&mut self, message: &Message, sender: &Sender) -> Verdict {
        // Most messages have no link, and asking the relay for matches costs more than looking for two signs.
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
    /// Why this sender may not link to a host.
    fn refusal(&self, host: &str, sender: &Sender) -> Option<String> {
        let Settings { allow, deny, only_allowed, newcomer_seconds, newcomer_messages } = &self.settings;
        let is_newcomer =
            sender.seconds_connected < *newcomer_seconds && sender.accepted < *newcomer_messages && !sender.trusted;
        if lies_in(host, deny) {
            Some(format!("Links to {} are not allowed here.", shown(host)))
        } else if lies_in(host, allow) {
            None
        } else if is_newcomer {
            Some(format!("Links to {} are not for newcomers: please stay a little first.", shown(host)))
        } else {
            only_allowed.then(|| format!("Links to {} are not allowed here.", shown(host)))
        }
    }
}

/// Whether a host is one of these domains, or lies below one.
fn lies_in(host: &str, domains: &[String]) -> bool {
    domains.iter().any(|domain| {
        host.strip_suffix(domain.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

/// A host as the reason names it. A reason may be so long and no longer, and the host is the sender's choice.
fn shown(host: &str) -> String {
    match host.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", host.get(..end).unwrap_or_default()),
        None => host.to_owned(),
    }
}

export!(LinkGuard);

#[cfg(test)]
mod tests;

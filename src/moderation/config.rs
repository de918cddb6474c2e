//! Settings of the moderation state.

use std::net::IpAddr;

use super::held::HeldConfig;
use super::sanctions::Ladder;
use crate::model::Address;
use crate::settings::{Section, Setting};

/// Settings of the moderation state.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The ladder of sanctions.
    pub ladder: Ladder,
    /// The held queue.
    pub held: HeldConfig,
    /// Whether moderators see positions and extents.
    pub shows_places: bool,
    /// The widest networks that a sanction may concern.
    pub widest: WidestPrefix,
}

/// The widest networks that a sanction may concern, by the lengths of their prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WidestPrefix {
    /// Of IPv4.
    pub v4: u8,
    /// Of IPv6.
    pub v6: u8,
}

impl WidestPrefix {
    /// Reads an address or a network, such as `198.51.100.0/24`.
    ///
    /// # Errors
    /// A phrase that follows the name of the field.
    pub fn parse(self, text: &str) -> Result<Address, String> {
        let (ip, prefix) = text.split_once('/').map_or((text, None), |(ip, prefix)| (ip, Some(prefix)));
        let ip: IpAddr = ip.parse().map_err(|_| "is not an IP address or network".to_owned())?;
        let Some(prefix) = prefix else { return Ok(ip.into()) };
        let number = Some(prefix).filter(|prefix| prefix.bytes().all(|byte| byte.is_ascii_digit()));
        let prefix: u8 = number.and_then(|prefix| prefix.parse().ok()).ok_or("has a prefix that is not a number")?;
        if ip.is_ipv6() && ip.to_canonical().is_ipv4() {
            return Err("is a network of IPv4 in IPv6 form; write it as in 198.51.100.0/24".to_owned());
        }
        let (widest, narrowest) = if ip.is_ipv4() { (self.v4, 32) } else { (self.v6, 64) };
        let bounds = || format!("has the prefix /{prefix}; /{widest} to /{narrowest} are allowed");
        Address::network(ip, prefix).filter(|_| prefix >= widest).ok_or_else(bounds)
    }
}

impl Default for WidestPrefix {
    fn default() -> Self {
        Self { v4: 24, v6: 48 }
    }
}

impl Config {
    /// Reads them from the section of moderation.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            shows_places: section.read(Setting::new("show_positions", false).doc(
                "Show moderators the positions and extents of messages, while the decision is in memory. The \
                         audit log never holds them.",
            )),
            widest: WidestPrefix {
                v4: section.read(
                    Setting::new("widest_ipv4_prefix", WidestPrefix::default().v4)
                        .doc("Widest IPv4 network that a sanction may concern: the length of its prefix.")
                        .within(Address::WIDEST.0..=32),
                ),
                v6: section.read(
                    Setting::new("widest_ipv6_prefix", WidestPrefix::default().v6)
                        .doc("Widest IPv6 network that a sanction may concern: the length of its prefix.")
                        .within(Address::WIDEST.1..=64),
                ),
            },
            ladder: Ladder::declare(&mut section.section("ladder", "Escalating sanctions for repeated offences.")),
            held: HeldConfig::declare(&mut section.section("held", "Messages held for a moderator.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_accepted_up_to_the_widest() {
        let parsed = |text| WidestPrefix::default().parse(text).map(|address| address.to_string());
        assert_eq!(parsed("198.51.100.7/24").as_deref(), Ok("198.51.100.0/24"));
        assert_eq!(parsed("2001:db8:1:2::/64").as_deref(), Ok("2001:db8:1:x"));
        assert_eq!(parsed("2001:db8:1:2::1/48").as_deref(), Ok("2001:db8:1::/48"));
        assert_eq!(parsed("198.51.100.7/32").as_deref(), Ok("198.51.100.x"));
        for (text, error) in [
            ("198.51.100.0/23", "has the prefix /23; /24 to /32 are allowed"),
            ("198.51.100.0/33", "has the prefix /33; /24 to /32 are allowed"),
            ("2001:db8::/47", "has the prefix /47; /48 to /64 are allowed"),
            ("2001:db8::/65", "has the prefix /65; /48 to /64 are allowed"),
            ("198.51.100.0/", "has a prefix that is not a number"),
            ("198.51.100.0/+24", "has a prefix that is not a number"),
            ("198.51.100/24", "is not an IP address or network"),
            ("::ffff:198.51.100.0/120", "is a network of IPv4 in IPv6 form; write it as in 198.51.100.0/24"),
        ] {
            assert_eq!(parsed(text), Err(error.to_owned()), "{text}");
        }
    }
}

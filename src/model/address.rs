//! Client addresses, and the forms in which they leave the process.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The unit in which addresses are limited and banned: a whole IPv4 address, or the /64 of an IPv6 address, since one
/// household or host usually holds a /64. Limits and sanctions may concern a wider network, of which this is the common type.
///
/// [`Display`](fmt::Display) omits the last part, so the text is safe for logs at level info. There is no serialised form:
/// the type of a field that leaves the process is one of [`PlainAddress`], [`MaskedAddress`] and [`AddressHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Only the bits of the prefix are set.
    ip: IpAddr,
    prefix: u8,
}

/// Prefix lengths of the units.
const UNIT_V4: u8 = 32;
const UNIT_V6: u8 = 64;

impl Address {
    /// The address of all clients whose own is unknown. No client has it.
    pub const UNKNOWN: Self = Self { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), prefix: UNIT_V4 };
    /// Length of the widest prefix that can be banned, of IPv4 and of IPv6.
    pub const WIDEST: (u8, u8) = (8, 16);
    /// The networks around the unit of an IPv6 address that are limited too, with the multiple of each limit. Providers
    /// give customers a /56 or a /48.
    const LIMITED: [(u8, u32); 2] = [(56, 4), (48, 16)];

    /// Returns the address. Of an IPv6 address, at most the first 64 bits are set.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    /// Returns the length of the prefix: 32 for an IPv4 address and 64 for an IPv6 address, less for a network.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Returns the network of this prefix length around an address; `None` if it is narrower than the unit.
    #[must_use]
    pub fn network(ip: IpAddr, prefix: u8) -> Option<Self> {
        let unit = Self::from(ip);
        (prefix <= unit.prefix).then(|| unit.within(prefix))
    }

    /// Whether this is a network wider than the unit.
    #[must_use]
    pub fn is_network(self) -> bool {
        self.prefix < if self.ip.is_ipv4() { UNIT_V4 } else { UNIT_V6 }
    }

    /// Whether `other` lies within this address or network.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        other.prefix >= self.prefix && other.within(self.prefix) == self
    }

    /// Returns the address and the networks around it, up to the widest that can be banned.
    pub fn networks(self) -> impl Iterator<Item = Self> {
        let widest = if self.ip.is_ipv4() { Self::WIDEST.0 } else { Self::WIDEST.1 };
        (widest..=self.prefix).rev().map(move |prefix| self.within(prefix))
    }

    /// Returns the address and the networks around it that limits concern, each with the multiple of the limit.
    pub fn limited(self) -> impl Iterator<Item = (Self, u32)> {
        let wider = Self::LIMITED.into_iter().filter(move |_| self.ip.is_ipv6());
        std::iter::once((self, 1)).chain(wider.map(move |(prefix, multiple)| (self.within(prefix), multiple)))
    }

    /// Returns the site of an address, for shares of which a site gets one: the /48 of an IPv6 address, which a provider may
    /// give to one customer (RFC 6177), and an IPv4 address itself.
    #[must_use]
    pub fn site(self) -> Self {
        self.limited().last().map_or(self, |(network, _)| network)
    }

    /// Returns the network of at most this prefix length around the address.
    fn within(self, prefix: u8) -> Self {
        let prefix = prefix.min(self.prefix);
        let ip = match self.ip {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(u32::from(UNIT_V4 - prefix.min(UNIT_V4))).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
        };
        Self { ip, prefix }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        let prefix = if ip.is_ipv4() { UNIT_V4 } else { UNIT_V6 };
        Self { ip, prefix: u8::MAX }.within(prefix)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNKNOWN {
            return f.write_str("unknown");
        }
        match self.ip {
            IpAddr::V4(v4) if self.prefix <= 24 => write!(f, "{v4}")?,
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                write!(f, "{a}.{b}.{c}.x")?;
            }
            IpAddr::V6(v6) if self.prefix <= 48 => write!(f, "{v6}")?,
            IpAddr::V6(v6) => {
                let [a, b, c, ..] = v6.segments();
                write!(f, "{a:x}:{b:x}:{c:x}:x")?;
            }
        }
        if self.is_network() { write!(f, "/{}", self.prefix) } else { Ok(()) }
    }
}

/// An address in full, for files that only the relay reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainAddress(pub Address);

impl Serialize for PlainAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Address { ip, prefix } = self.0;
        if self.0.is_network() {
            serializer.collect_str(&format_args!("{ip}/{prefix}"))
        } else {
            ip.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for PlainAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (ip, prefix) = text.split_once('/').map_or((&*text, None), |(ip, prefix)| (ip, Some(prefix)));
        let ip: IpAddr = ip.parse().map_err(D::Error::custom)?;
        let Some(prefix) = prefix else { return Ok(Self(ip.into())) };
        let network = Address::network(ip, prefix.parse().map_err(D::Error::custom)?);
        network.map(Self).ok_or_else(|| D::Error::custom("a network is narrower than an address"))
    }
}

/// [`PlainAddress`] for `#[serde(with = "…")]`.
pub(super) mod plain {
    use super::{Address, Deserialize, Deserializer, PlainAddress, Serialize, Serializer};

    pub(in crate::model) fn serialize<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
        PlainAddress(*address).serialize(serializer)
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        PlainAddress::deserialize(deserializer).map(|PlainAddress(address)| address)
    }
}

/// An address without its last part, for moderators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskedAddress(pub Address);

impl Serialize for MaskedAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The keyed hash of an address: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressHash(pub u64);

impl fmt::Display for AddressHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for AddressHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AddressHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let hash = (digits.len() == 16).then(|| u64::from_str_radix(&digits, 16).ok()).flatten();
        hash.map(Self).ok_or_else(|| D::Error::custom("an address is no hash of 16 hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::from(text.parse::<IpAddr>().unwrap_or_else(|e| panic!("{text}: {e}")))
    }

    #[test]
    fn hosts_of_one_ipv6_network_count_as_one() {
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
    }

    #[test]
    fn an_ipv4_address_in_ipv6_form_is_the_ipv4_address() {
        assert_eq!(address("::ffff:192.0.2.7"), address("192.0.2.7"));
        assert_ne!(address("192.0.2.7"), address("192.0.2.8"));
    }

    #[test]
    fn a_network_contains_its_addresses_and_narrower_networks() {
        let network = |text: &str, prefix| Address::network(text.parse().unwrap(), prefix).unwrap();
        assert!(network("198.51.100.7", 24).contains(address("198.51.100.200")));
        assert!(!network("198.51.100.7", 24).contains(address("198.51.101.200")));
        assert!(network("2001:db8:1::", 48).contains(address("2001:db8:1:ffff::1")));
        assert!(network("2001:db8:1::", 48).contains(network("2001:db8:1:100::", 56)));
        assert!(!network("2001:db8:1:100::", 56).contains(network("2001:db8:1::", 48)));
        assert!(!network("0.0.0.0", 8).contains(address("::")));
        assert_eq!(network("2001:db8::1", 64), address("2001:db8::2"));
        assert_eq!(Address::network("2001:db8::1".parse().unwrap(), 65), None);
        assert_eq!(Address::network("192.0.2.1".parse().unwrap(), 33), None);
    }

    #[test]
    fn the_networks_of_an_address_are_all_that_contain_it() {
        for text in ["198.51.100.7", "2001:db8:1:2::1"] {
            let own = address(text);
            let networks: Vec<Address> = own.networks().collect();
            assert_eq!(networks.first(), Some(&own));
            assert!(networks.iter().all(|network| network.contains(own)), "{networks:?}");
        }
        assert_eq!((address("198.51.100.7").networks().count(), address("::1").networks().count()), (25, 49));
    }

    #[test]
    fn limits_of_ipv6_also_concern_the_56_and_the_48() {
        let limited = |text| address(text).limited().map(|(at, by)| (at.prefix(), by)).collect::<Vec<_>>();
        assert_eq!(limited("2001:db8:1:2::1"), [(64, 1), (56, 4), (48, 16)]);
        assert_eq!(limited("192.0.2.7"), [(32, 1)]);
        assert_eq!(address("2001:db8:1:2::1").site(), address("2001:db8:1:ff::9").site());
        assert_ne!(address("2001:db8:1::").site(), address("2001:db8:2::").site());
        assert_eq!(address("192.0.2.7").site(), address("192.0.2.7"));
    }

    #[test]
    fn the_plain_form_of_a_network_has_its_prefix_and_is_read_again() {
        for text in ["\"192.0.2.7\"", "\"192.0.2.0/24\"", "\"2001:db8:1:2::\"", "\"2001:db8:1::/48\""] {
            let read: PlainAddress = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
        for text in ["\"192.0.2.0/33\"", "\"2001:db8::/65\"", "\"192.0.2.0/\"", "\"192.0.2.0/256\""] {
            assert!(serde_json::from_str::<PlainAddress>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_displayed_form_omits_the_last_part() {
        assert_eq!(address("192.0.2.7").to_string(), "192.0.2.x");
        assert_eq!(address("2001:db8:1:2::1").to_string(), "2001:db8:1:x");
        assert_eq!(Address::UNKNOWN.to_string(), "unknown");
        let network = |text: &str, prefix| Address::network(text.parse().unwrap(), prefix).unwrap().to_string();
        assert_eq!(network("192.0.2.7", 24), "192.0.2.0/24");
        assert_eq!(network("192.0.2.7", 30), "192.0.2.x/30");
        assert_eq!(network("2001:db8:1:2::1", 48), "2001:db8:1::/48");
        assert_eq!(network("2001:db8:1:2::1", 56), "2001:db8:1:x/56");
    }
}

//! Client addresses, and the forms in which they leave the process.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The unit in which addresses are limited and banned: a whole IPv4 address, or the /64 of an IPv6 address, since one
/// household or host usually holds a /64.
///
/// [`Display`](fmt::Display) omits the last part, so the text is safe for logs at level info. There is no serialised form:
/// the type of a field that leaves the process is one of [`PlainAddress`], [`MaskedAddress`] and [`AddressHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(IpAddr);

impl Address {
    /// The address of all clients whose own is unknown. No client has it.
    pub const UNKNOWN: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// Returns the address. Of an IPv6 address, only the first 64 bits are set.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNKNOWN {
            return f.write_str("unknown");
        }
        match self.0 {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                write!(f, "{a}.{b}.{c}.x")
            }
            IpAddr::V6(v6) => {
                let [a, b, c, ..] = v6.segments();
                write!(f, "{a:x}:{b:x}:{c:x}:x")
            }
        }
    }
}

/// An address in full, for files that only the relay reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainAddress(pub Address);

impl Serialize for PlainAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.ip().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PlainAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IpAddr::deserialize(deserializer).map(|ip| Self(ip.into()))
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
    fn the_displayed_form_omits_the_last_part() {
        assert_eq!(address("192.0.2.7").to_string(), "192.0.2.x");
        assert_eq!(address("2001:db8:1:2::1").to_string(), "2001:db8:1:x");
        assert_eq!(Address::UNKNOWN.to_string(), "unknown");
    }
}

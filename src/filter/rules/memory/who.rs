//! Who has said something, in figures.

/// Somebody, in figures. Who comes back under the same name is the same, and so is who changes it on one connection, or
/// sends without any.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who {
    pub(super) connection: Option<u64>,
    pub(super) address: u64,
    /// Address and name.
    pub(super) name: u64,
}

impl Who {
    pub(super) fn is(&self, other: &Self) -> bool {
        self.name == other.name
            || match (self.connection, other.connection) {
                (None, None) => self.address == other.address,
                (own, others) => own == others,
            }
    }

    /// As one of many: a connection, or an address that sends without any.
    pub(super) fn source(&self) -> u64 {
        self.connection.unwrap_or(self.address)
    }
}

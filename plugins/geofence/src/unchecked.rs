//! Why a place cannot be checked.

/// Why a place cannot be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unchecked {
    /// Its coordinate system is unknown, or described in two contradicting ways.
    System,
    /// A coordinate is not on Earth.
    Coordinates,
    /// The layer is not `GeoJSON`, or the payload lacks coordinates.
    Malformed,
    /// The layer has too many points to be checked in time.
    TooLarge,
}

impl Unchecked {
    /// The reason that the sender sees.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::System => "The coordinate system is not known here, so the place cannot be checked.",
            Self::Coordinates => "Some coordinates are not on Earth, so the place cannot be checked.",
            Self::Malformed => "This is not valid GeoJSON, so the place cannot be checked.",
            Self::TooLarge => "This has too many points for the place to be checked.",
        }
    }
}

/// The work that may still be done for a message. A visit of a point or line counts 1, so that the same message has the
/// same verdict on any machine.
#[derive(Debug)]
pub(crate) struct Work(usize);

/// Most work for a message. Takes 60 to 120 ms.
const MAX_WORK: usize = 12_000_000;

impl Work {
    pub(crate) fn new() -> Self {
        Self(MAX_WORK)
    }

    /// For work that does not depend on messages.
    pub(crate) fn unlimited() -> Self {
        Self(usize::MAX)
    }

    /// Counts work before it is done.
    ///
    /// # Errors
    /// If it would be too much.
    pub(crate) fn count(&mut self, more: usize) -> Result<(), Unchecked> {
        self.0 = self.0.checked_sub(more).ok_or(Unchecked::TooLarge)?;
        Ok(())
    }
}

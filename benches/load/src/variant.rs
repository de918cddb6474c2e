//! What differs between the columns of a section in which the relay is compared with itself.

use crate::chains::Chain;
use crate::generation::{Generation, Generations};

/// A variant of the relay or of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The relay has these plugins and rules.
    Chain(Chain),
    /// The members speak these generations.
    Members(Generations),
    /// Nothing is shared in another room.
    WithoutPhotos,
    /// Photos are shared in another room.
    WithPhotos,
}

impl Variant {
    /// The name in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Chain(chain) => chain.title(),
            Self::Members(generations) => generations.title(),
            Self::WithoutPhotos => "no photos",
            Self::WithPhotos => "beside photos",
        }
    }

    /// The plugins and rules of the relay.
    pub(crate) fn chain(self) -> Chain {
        match self {
            Self::Chain(chain) => chain,
            Self::Members(_) | Self::WithoutPhotos | Self::WithPhotos => Chain::NoPlugins,
        }
    }

    /// The generations of the members.
    pub(crate) fn generations(self) -> Generations {
        match self {
            Self::Members(generations) => generations,
            Self::Chain(_) | Self::WithoutPhotos | Self::WithPhotos => Generations::All(Generation::V1),
        }
    }
}

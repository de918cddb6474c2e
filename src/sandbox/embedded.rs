//! The plugins embedded in the program: those that were built before the program, as listed by `build.rs`.

use std::fmt;

/// An embedded plugin: its code and manifest.
pub(super) struct Embedded {
    /// Its name.
    pub(super) name: &'static str,
    /// Its manifest, as TOML.
    pub(super) manifest: &'static str,
    /// Its component, or its core module.
    pub(super) code: &'static [u8],
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The code would be 100 KB of numbers.
        f.debug_struct("Embedded").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All embedded plugins, by name.
pub(super) static ALL: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/embedded_plugins.rs"));

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::Mode;
    use crate::sandbox::Manifest;

    #[test]
    fn embedded_plugins_have_a_manifest_that_only_observes() {
        for plugin in ALL {
            let manifest = Manifest::parse(plugin.name, Path::new("plugin.toml"), plugin.manifest).unwrap();
            assert_eq!(manifest.mode, Mode::Observe, "{}", plugin.name);
        }
    }
}

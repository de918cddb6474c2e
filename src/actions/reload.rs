//! The interface by which an action reloads settings, rules and plugins. `app` implements it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::settings::SettingChanges;

/// Reloads everything that can change while the relay runs.
pub trait Reload: fmt::Debug + Send + Sync {
    /// Reloads settings with tokens, rules, and plugins. Each part is applied if it has no error, and otherwise stays
    /// entirely as it was; each plugin is a separate part.
    ///
    /// # Cancel safety
    /// Dropping the future may leave some parts reloaded and others not.
    fn reload(&self, trigger: ReloadTrigger) -> Pin<Box<dyn Future<Output = ReloadReport> + Send + '_>>;
}

/// What triggered a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadTrigger {
    /// A call by the moderator of this name.
    Moderator(Arc<str>),
    /// A signal.
    Signal,
}

/// The result of a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadReport {
    /// The settings that have changed.
    pub settings: SettingChanges,
    /// Number of rules in force.
    pub rules: usize,
    /// The loaded plugins, in the order in which they run.
    pub plugins: Vec<String>,
    /// The errors of the parts that were not reloaded, one line each, with the place.
    pub errors: Vec<String>,
}

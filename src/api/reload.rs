//! What the API asks for when settings, rules and plugins are to be read again. How it is done, the program knows that
//! puts the parts together.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::settings::Changes;

/// Reads again, while the relay runs, whatever may change then.
pub trait Reload: fmt::Debug + Send + Sync {
    /// Reads settings with tokens, rules, and plugins again, and puts each part in force that is without an error. A part
    /// with an error stays as it was as a whole; plugins are a part each.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: what was begun is done to its end.
    fn reload(self: Arc<Self>, by: ReloadedBy) -> Pin<Box<dyn Future<Output = Report> + Send>>;
}

/// Who has everything read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadedBy {
    /// The moderator of this name, who is answered.
    Moderator(Arc<str>),
    /// The operator, by a signal. Nobody is answered.
    Signal,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The settings that are other than before.
    pub settings: Changes,
    /// How many rules are in force.
    pub rules: usize,
    /// The plugins that are loaded, in the order in which they are asked.
    pub plugins: Vec<String>,
    /// What is wrong with the parts that stay as they were, each error in a line with its place.
    pub errors: Vec<String>,
}

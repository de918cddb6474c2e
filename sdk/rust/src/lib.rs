//! Filters for gischat-relay, written in Rust.
//!
//! A filter looks at each message on its way to a room and says what is to be done with it. It runs inside the relay as
//! a WebAssembly component, in a sandbox: no files, no network, no clock but [`clock`], and only so much time and
//! memory as its manifest allows.
//!
//! ```
//! use gischat_filter::{Filter, Message, Sender, Verdict, export};
//!
//! #[derive(serde::Deserialize)]
//! struct Settings {
//!     word: String,
//! }
//!
//! struct OneWord(Settings);
//!
//! impl Filter for OneWord {
//!     type Settings = Settings;
//!
//!     fn configure(settings: Settings) -> Result<Self, String> {
//!         if settings.word.is_empty() { Err("`word` is empty".into()) } else { Ok(Self(settings)) }
//!     }
//!
//!     fn check(&mut self, message: &Message, _: &Sender) -> Verdict {
//!         let is_found = message.folded.contains(&self.0.word);
//!         if is_found { Verdict::reject("Not this word, please.") } else { Verdict::pass() }
//!     }
//! }
//!
//! export!(OneWord);
//!
//! # #[cfg(not(target_arch = "wasm32"))] {
//! use gischat_filter::testing::{Harness, json};
//!
//! let mut harness = Harness::<OneWord>::new(json!({ "word": "shapefile" }));
//! assert_eq!(harness.check("send me a Shapefile"), Verdict::reject("Not this word, please."));
//! assert_eq!(harness.check("send me a GeoPackage"), Verdict::pass());
//! # }
//! ```
//!
//! # An instance may be thrown away at any time
//!
//! The relay runs several instances of a filter side by side, and makes a new one whenever it likes: under load, after
//! a trap, after new settings. What an instance keeps in its fields is therefore a cache and no memory: what the
//! settings say, compiled patterns, tables. Whatever has to be remembered from one message to the next belongs in the
//! [`store`], which all instances share.
//!
//! # Panics
//!
//! A panic ends the instance: it becomes a trap, the relay notes it, with the panic's words as an error in its log, and
//! does with the message what the manifest's `on_failure` says. Build with `panic = "abort"`, as the template does.
//!
//! # Tests
//!
//! Compiled for anything but `wasm32`, the functions of [`log`], [`clock`], [`store`], [`regex`] and [`room`] are
//! played by this crate, so that `cargo test` runs a filter natively in a harness (module `testing`).

pub mod clock;
pub mod log;
pub mod regex;
pub mod room;
pub mod store;
mod types;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;
#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use types::{Action, Message, Sanction, Sender, Verdict};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// A filter. [`export!`] makes a component of it.
pub trait Filter: Sized {
    /// What its settings are, read from the manifest's `[settings]`. [`NoSettings`] for a filter that has none.
    type Settings: serde::de::DeserializeOwned;

    /// The kinds of message that it wants to see, such as `text`.
    const KINDS: &'static [&'static str] = &["text"];

    /// What it wants to be asked about.
    const HOOKS: &'static [Hook] = &[Hook::Check];

    /// Whether it needs [`Message::payload`], which costs time.
    const PAYLOAD: bool = false;

    /// Makes an instance.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings, in words for the operator. It refuses the filter.
    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Says what is to be done with a message.
    fn check(&mut self, message: &Message, sender: &Sender) -> Verdict;

    /// Says whether somebody may register a nickname in a room. Asked only where [`HOOKS`](Self::HOOKS) name
    /// [`Hook::CheckNickname`]. [`Action::Replace`] is no answer here.
    fn check_nickname(&mut self, nickname: &str, room: &str, sender: &Sender) -> Verdict {
        let _ = (nickname, room, sender);
        Verdict::pass()
    }
}

/// What a filter may be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Messages: [`Filter::check`].
    Check,
    /// Nicknames that somebody wants to register: [`Filter::check_nickname`].
    CheckNickname,
}

/// The settings of a filter that has none: any that the manifest gives are a fault.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// Makes an instance from its settings as JSON, as the relay hands them over.
fn configure<F: Filter>(settings: &str) -> Result<F, String> {
    let settings = serde_json::from_str(settings).map_err(|fault| format!("settings: {fault}"))?;
    F::configure(settings)
}

/// Exports a [`Filter`] from the component, under the name and version of the package that calls it. Once in a crate,
/// which has `crate-type = ["cdylib"]`. Does nothing on any target but `wasm32`.
#[macro_export]
macro_rules! export {
    ($filter:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the functions that the relay calls have names fixed by the contract")]
        const _: () = {
            ::std::thread_local! {
                static INSTANCE: $crate::component::Instance<$filter> = $crate::component::Instance::default();
            }

            struct Component;

            impl $crate::component::Guest for Component {
                fn describe() -> $crate::component::Description {
                    $crate::component::describe::<$filter>(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
                }

                fn configure(settings: String) -> Result<(), String> {
                    INSTANCE.with(|instance| instance.configure(&settings))
                }

                fn check(
                    message: $crate::component::Message,
                    sender: $crate::component::Sender,
                ) -> $crate::component::Verdict {
                    INSTANCE.with(|instance| instance.check(message, sender))
                }

                fn check_nickname(
                    nickname: String,
                    room: String,
                    sender: $crate::component::Sender,
                ) -> $crate::component::Verdict {
                    INSTANCE.with(|instance| instance.check_nickname(&nickname, &room, sender))
                }
            }

    $crate::component::bindings::export_component!(Component with_types_in $crate::component::bindings);
        };
    };
}

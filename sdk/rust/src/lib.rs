//! Filters for gischat-relay, written in Rust.
//!
//! A filter checks each message on its way to a room and returns a verdict. It runs inside the relay as a WebAssembly
//! component, in a sandbox: no files, no network, no clock but [`clock`], and only the time and memory that its
//! manifest allows.
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
//! # Instances may be discarded at any time
//!
//! The relay runs several instances of a filter concurrently and creates new ones as needed: under load, after a trap,
//! after a change of settings. Use the fields of a filter only as a cache, for settings, compiled patterns and tables.
//! State that must last from one message to the next belongs in the [`store`], which all instances share.
//!
//! # Panics
//!
//! A panic becomes a trap and ends the instance. The relay logs the panic's message as an error and treats the message
//! being checked as the manifest's `on_failure` says. Build with `panic = "abort"`, as the template does.
//!
//! # Tests
//!
//! On targets other than `wasm32`, this crate emulates the functions of [`log`], [`clock`], [`store`], [`regex`] and
//! [`room`], so that `cargo test` runs a filter natively in a harness (module `testing`).

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
    /// The type of its settings, read from the manifest's `[settings]`. [`NoSettings`] for a filter without settings.
    type Settings: serde::de::DeserializeOwned;

    /// The kinds of message that it checks, such as `text`.
    const KINDS: &'static [&'static str] = &["text"];

    /// The functions that the relay calls.
    const HOOKS: &'static [Hook] = &[Hook::Check];

    /// Whether it needs [`Message::payload`], which costs time.
    const PAYLOAD: bool = false;

    /// Whether this instance needs [`Message::payload`], for a filter on whose settings that depends. By default,
    /// [`PAYLOAD`](Self::PAYLOAD).
    fn needs_payload(&self) -> bool {
        Self::PAYLOAD
    }

    /// Creates an instance.
    ///
    /// # Errors
    ///
    /// The reason why the settings are invalid, in words for the operator. The filter is not loaded then.
    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Returns the verdict on a message.
    fn check(&mut self, message: &Message, sender: &Sender) -> Verdict;

    /// Returns the verdict on the registration of a nickname in a room. Only called if [`HOOKS`](Self::HOOKS) contains
    /// [`Hook::CheckNickname`]. [`Action::Replace`] is not allowed here.
    fn check_nickname(&mut self, nickname: &str, room: &str, sender: &Sender) -> Verdict {
        let _ = (nickname, room, sender);
        Verdict::pass()
    }
}

/// A function of a filter that the relay may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Checks messages: [`Filter::check`].
    Check,
    /// Checks nicknames that are about to be registered: [`Filter::check_nickname`].
    CheckNickname,
}

/// The settings of a filter without settings. Any key in the manifest's `[settings]` is an error.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// Creates an instance from its settings as JSON.
fn configure<F: Filter>(settings: &str) -> Result<F, String> {
    let settings = serde_json::from_str(settings).map_err(|error| format!("settings: {error}"))?;
    F::configure(settings)
}

/// Exports a [`Filter`] from the component, under the name and version of the calling package. Call it once per crate;
/// the crate needs `crate-type = ["cdylib"]`. Does nothing on targets other than `wasm32`.
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
                    INSTANCE.with(|instance| instance.describe(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")))
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

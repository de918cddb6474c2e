//! Writes to the relay's log. The number of lines per second is limited; further lines are counted and dropped.

/// The severity of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the filter's author.
    Debug,
    /// Worth knowing.
    Info,
    /// Somebody should look at it.
    Warn,
    /// The filter cannot do its work.
    Error,
}

/// Writes a line.
pub fn write(level: Level, text: impl AsRef<str>) {
    let text = text.as_ref();
    #[cfg(target_arch = "wasm32")]
    {
        use crate::component::bindings::gischat::filter::log;
        let level = match level {
            Level::Debug => log::Level::Debug,
            Level::Info => log::Level::Info,
            Level::Warn => log::Level::Warn,
            Level::Error => log::Level::Error,
        };
        log::write(level, text);
    }
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::with(|world| world.log.push((level, text.to_owned())));
}

/// Writes a line for the filter's author.
pub fn debug(text: impl AsRef<str>) {
    write(Level::Debug, text);
}

/// Writes a line worth knowing.
pub fn info(text: impl AsRef<str>) {
    write(Level::Info, text);
}

/// Writes a line that somebody should look at.
pub fn warn(text: impl AsRef<str>) {
    write(Level::Warn, text);
}

/// Writes a line about something that the filter cannot do.
pub fn error(text: impl AsRef<str>) {
    write(Level::Error, text);
}

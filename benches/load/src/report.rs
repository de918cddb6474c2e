//! The figures of one run, and the format of numbers.

use anyhow::Error;

use crate::cpu::Usage;

/// CPU time of the server for each message and receiving member.
pub(crate) const DELIVERY_CPU: &str = "server CPU per delivery";
/// Messages that were sent and delivered to all members.
pub(crate) const MESSAGES: &str = "messages";
/// CPU time of the server for each message, deliveries included.
pub(crate) const MESSAGE_CPU: &str = "server CPU per message";
/// Latency in a room without plugins and in a room with a plugin, while the plugins of a third room are stuck.
pub(crate) const P99_BARE: &str = "p99 in a room without plugins";
pub(crate) const P99_ANOTHER: &str = "p99 in a room with another one";
/// Memory of an idle connection.
pub(crate) const MEMORY_EACH: &str = "memory per connection";
/// CPU time of the server for each connect.
pub(crate) const CONNECT_CPU: &str = "server CPU per connect";
/// Time until all of many members that joined one room had the right user count.
pub(crate) const JOINS_TOLD: &str = "all told after";
/// The same with a room for each member.
pub(crate) const JOINS_ALONE: &str = "the same in rooms alone";
/// CPU time of a join to an empty room.
pub(crate) const JOIN_CPU_ALONE: &str = "server CPU per join alone";
/// The difference of the two times.
pub(crate) const JOINS_MORE: &str = "more than alone";
/// Time until the last member has a layer: the first one, when the buffers of the sockets are still small, and later
/// ones.
pub(crate) const FIRST_LAYER_TOLD: &str = "all have the first layer after";
pub(crate) const LAYER_TOLD: &str = "all have a later layer after";
/// CPU time of the server for each layer and receiving member.
pub(crate) const LAYER_CPU: &str = "server CPU per layer and member";
/// How much more memory the server had at most.
pub(crate) const MEMORY_GROWTH: &str = "peak memory growth";
/// Photos that all members of another room received.
pub(crate) const PHOTOS: &str = "photos";
/// Time until all members of that room have a photo.
pub(crate) const PHOTO_TOLD: &str = "all have a photo after";
/// CPU use of this tool.
pub(crate) const TOOL_CPU: &str = "load tool CPU";
/// CPU use of all other processes.
pub(crate) const FOREIGN_CPU: &str = "foreign CPU";

/// One measured value.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
}

impl Figure {
    /// A `value` in `unit`; the unit is empty for a plain count.
    pub(crate) fn new(name: &'static str, unit: &'static str, value: f64) -> Self {
        Self { name, unit, value }
    }

    /// The CPU use of server, tool and others. Percent of one core.
    pub(crate) fn cpu_figures(usage: &Usage) -> [Self; 5] {
        let wall = usage.wall.as_secs_f64();
        let percent = |name, time: std::time::Duration| Self::new(name, "%", time.as_secs_f64() * 100.0 / wall);
        [
            Self::new("measured time", "s", wall),
            percent("server CPU", usage.server),
            percent(TOOL_CPU, usage.own),
            percent(FOREIGN_CPU, usage.foreign),
            percent("stolen CPU", usage.stolen),
        ]
    }
}

/// The result of one run.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// The same names in each run of a workload.
    pub(crate) figures: Vec<Figure>,
    /// Problems; empty in a good run.
    pub(crate) problems: Vec<String>,
}

impl Run {
    /// A run without figures.
    pub(crate) fn failed(error: &Error) -> Self {
        Self { figures: Vec::new(), problems: vec![format!("{error:#}")] }
    }

    /// The value of the figure `name`.
    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }
}

/// Formats a number with `digits` significant digits, or as a whole number with spaces: 0.01235, 12.35, 1 234 567.
pub(crate) fn number(value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    if value.fract() == 0.0 || value.abs() >= 1_000.0 {
        return grouped(value);
    }
    let whole = value.abs().log10().floor().max(-4.0) as i32;
    format!("{value:.*}", usize::try_from(digits - 1 - whole).unwrap_or(0))
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !text.ends_with('-') {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_significant_digits_or_are_whole() {
        let cases = [
            (0.0, "0"),
            (0.012_345, "0.01235"),
            (12.345, "12.35"),
            (999.94, "999.9"),
            (1_234_567.8, "1 234 568"),
            (-1_000.0, "-1 000"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value, 4), expected);
        }
        assert_eq!(number(0.167_8, 2), "0.17");
        assert_eq!(number(123.4, 2), "123");
        assert_eq!(number(f64::NAN, 4), "-");
    }
}

//! `check`: whether a relay could start with this configuration and all subsystems, what the rules cost and match, and
//! whether an audit log is intact.

mod against;
mod audit;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::print_to;
use super::table::{Align, Table};
use super::terminal::printable;
use crate::app;
use crate::audit::LineHash;
use crate::config::Config;
use crate::filter::FilterName;
use crate::filter::rules::{PatternCost, RuleOutline, RuleSet, STARTER_RULES};
use crate::model::{Outcome, RoomName};

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// Show which rules match the texts in a file, one per line. Exit code 1 if an enforced rule matches.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Treat the texts as those of a newcomer rather than a registered member.
    #[arg(long, requires = "against")]
    newcomer: bool,
    /// Print the starter rules as a rules file and exit.
    #[arg(long)]
    starter: bool,
    /// Verify an audit log (its folder or one file) and exit. Exit code 1 if a line was changed or is missing.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["against", "starter"])]
    audit: Option<PathBuf>,
    /// The hash of a line that the audit log must still have, such as one from the relay's own log. Exit code 1 if lines up
    /// to it are missing.
    #[arg(long, value_name = "HASH", requires = "audit")]
    head: Option<LineHash>,
}

impl CheckArgs {
    /// Runs the options that do not depend on the configuration.
    pub(super) fn run_standalone(&self) -> Option<ExitCode> {
        if self.starter {
            print_to(io::stdout(), STARTER_RULES);
            return Some(ExitCode::SUCCESS);
        }
        self.audit.as_deref().map(|path| audit::run(path, self.head))
    }
}

/// Prints the subsystems that the relay would run without, and a report on the configuration, which is valid. Exits
/// with 1 if there are any.
pub(super) fn run(arguments: &CheckArgs, config: &Config, rules: &RuleSet) -> ExitCode {
    if let Some(file) = &arguments.against {
        return against::run(file, arguments.newcomer, config, rules);
    }
    let problems = print_problems(arguments, config);
    print_to(io::stdout(), &report(config, rules));
    if problems == 0 {
        print_to(io::stdout(), "the configuration is valid\n");
        return ExitCode::SUCCESS;
    }
    let plural = if problems == 1 { "" } else { "s" };
    let verdict = format!("the configuration is valid, but the relay would run degraded: {problems} problem{plural}\n");
    print_to(io::stdout(), &verdict);
    ExitCode::FAILURE
}

/// Prints each problem that does not prevent a start, one per line. Returns their number.
pub(super) fn print_problems(arguments: &CheckArgs, config: &Config) -> usize {
    if arguments.against.is_some() {
        return 0;
    }
    let problems = app::probe(config);
    for problem in &problems {
        print_to(io::stderr(), &format!("{}\n", printable(&problem.reason)));
    }
    problems.len()
}

/// Whether the rules filter is enabled.
pub(super) fn rules_are_enabled(config: &Config) -> bool {
    config.filter.order.contains(&FilterName::Rules)
}

fn report(config: &Config, rules: &RuleSet) -> String {
    let rooms: Vec<&str> = config.instance.rooms.iter().map(RoomName::as_str).collect();
    let filters: Vec<&str> = config.filter.order.iter().map(|name| name.as_str()).collect();
    let starter = rules.len() - rules.own_count();
    format!(
        "rooms: {}\nfilters: {}\nrules: {} of your own, {starter} of the starter set (preset {}){}\nlistens on: {}\n\n{}\n",
        rooms.join(", "),
        filters.join(", "),
        rules.own_count(),
        rules.preset(),
        if rules_are_enabled(config) { "" } else { ", disabled: filter.order does not include `rules`" },
        config.server.listen,
        table(rules)
    )
}

/// Formats a table of rules, with patterns below each rule.
fn table(rules: &RuleSet) -> String {
    let columns = [
        ("rule", Align::Left),
        ("at", Align::Left),
        ("mode", Align::Left),
        ("verdict", Align::Left),
        ("words", Align::Right),
        ("patterns", Align::Right),
        ("cases", Align::Right),
    ];
    let mut table = Table::new(columns);
    for RuleOutline { id, source, mode, outcome: asked, words, cases, patterns } in rules.outline() {
        let verdict = if asked == Outcome::Pass { "label" } else { asked.as_str() };
        let cells = [
            id.to_owned(),
            printable(source),
            mode.to_string(),
            verdict.to_owned(),
            count(words),
            count(patterns.len()),
            count(cases),
        ];
        table.add(cells, patterns.iter().map(pattern).collect());
    }
    table.text()
}

fn count(number: usize) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

fn pattern(
    PatternCost { pattern, required: needs, typical: ordinary, worst_case: hostile }: &PatternCost<'_>,
) -> String {
    let needs: Vec<String> = needs.iter().take(3).map(|needed| format!("{:?}", printable(needed))).collect();
    let needs = if needs.is_empty() { String::new() } else { format!(", only where there is {}", needs.join(" or ")) };
    format!("{}: {} µs, at worst {} µs{needs}", printable(pattern), micros(*ordinary), micros(*hostile))
}

fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

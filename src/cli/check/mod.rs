//! `check`: whether a relay could start with this configuration and would have all its parts, what the rules cost, and
//! what they would hit; and whether an audit log is whole.

mod against;
mod audit;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::table::{Align, Table};
use super::tell;
use super::terminal::printable;
use crate::app;
use crate::config::Config;
use crate::filter::Name;
use crate::filter::rules::{PatternCost, RuleOutline, Rules, STARTER};
use crate::model::{Outcome, RoomName};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Texts that no rule should hit, one a line: shows which rules would. Exit code 1 when a rule in force is one.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Take the texts as those of somebody who has just come, rather than of a registered member.
    #[arg(long, requires = "against")]
    newcomer: bool,
    /// Print the starter rules, as a rules file, and do nothing else.
    #[arg(long)]
    starter: bool,
    /// Check an audit log, a folder or one file of it, and do nothing else. Exit code 1 when a line was changed or is
    /// missing.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["against", "starter"])]
    audit: Option<PathBuf>,
}

impl Arguments {
    /// Does what is asked for that has nothing to do with the configuration.
    pub(super) fn run_alone(&self) -> Option<ExitCode> {
        if self.starter {
            tell(io::stdout(), STARTER);
            return Some(ExitCode::SUCCESS);
        }
        self.audit.as_deref().map(audit::run)
    }
}

/// Names what the relay would run without, and reports on the configuration, which is good. 1 when there is such a part.
pub(super) fn run(arguments: &Arguments, config: &Config, rules: &Rules) -> ExitCode {
    if let Some(file) = &arguments.against {
        return against::run(file, arguments.newcomer, config, rules);
    }
    let problems = name_problems(arguments, config);
    tell(io::stdout(), &report(config, rules));
    if problems == 0 {
        tell(io::stdout(), "the configuration is good\n");
        return ExitCode::SUCCESS;
    }
    let plural = if problems == 1 { "" } else { "s" };
    let verdict =
        format!("the configuration is good, but not all of it would take effect: {problems} problem{plural}\n");
    tell(io::stdout(), &verdict);
    ExitCode::FAILURE
}

/// Names each problem that a relay would start with all the same, in a line, and tells how many there are.
pub(super) fn name_problems(arguments: &Arguments, config: &Config) -> usize {
    if arguments.against.is_some() {
        return 0;
    }
    let problems = app::probe(config);
    for problem in &problems {
        tell(io::stderr(), &format!("{}\n", printable(&problem.reason)));
    }
    problems.len()
}

/// Whether the filter of rules runs at all.
pub(super) fn in_force(config: &Config) -> bool {
    config.filter.order.contains(&Name::Rules)
}

fn report(config: &Config, rules: &Rules) -> String {
    let rooms: Vec<&str> = config.instance.rooms.iter().map(RoomName::as_str).collect();
    let filters: Vec<&str> = config.filter.order.iter().map(|name| name.as_str()).collect();
    let starter = rules.len() - rules.own();
    format!(
        "rooms: {}\nfilters: {}\nrules: {} of your own, {starter} of the starter set (preset {}){}\nlistens on: {}\n\n{}\n",
        rooms.join(", "),
        filters.join(", "),
        rules.own(),
        rules.preset().as_str(),
        if in_force(config) { "" } else { ", not in force: filter.order does not name them" },
        config.server.listen,
        table(rules)
    )
}

/// Each rule, with its patterns below it.
fn table(rules: &Rules) -> String {
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
    for RuleOutline { id, source, mode, asked, words, cases, patterns } in rules.outline() {
        let verdict = if asked == Outcome::Pass { "label" } else { asked.as_str() };
        let cells = [
            id.to_owned(),
            printable(source),
            mode.as_str().to_owned(),
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

fn pattern(PatternCost { pattern, needs, ordinary, hostile }: &PatternCost<'_>) -> String {
    let needs: Vec<String> = needs.iter().take(3).map(|needed| format!("{:?}", printable(needed))).collect();
    let needs = if needs.is_empty() { String::new() } else { format!(", only where there is {}", needs.join(" or ")) };
    format!("{}: {} µs, at worst {} µs{needs}", printable(pattern), micros(*ordinary), micros(*hostile))
}

fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

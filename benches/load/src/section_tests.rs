//! The table and the JSON of invented runs.

use std::time::Duration;

use clap::Parser;

use super::*;
use crate::cpu::Usage;
use crate::report::{Figure, MESSAGE_CPU};
use crate::sizes::Sizes;
use crate::workload::Workload;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    sizes: Sizes,
}

fn column(kind: ServerKind, values: &[f64]) -> Column {
    let runs = values
        .iter()
        .map(|&value| Run { figures: vec![Figure::new("latency p50", "ms", value)], problems: Vec::new() });
    Column { kind, runs: runs.collect() }
}

fn section(columns: Vec<Column>) -> Section {
    let case = Workload::W1.cases(&Line::parse_from(["x"]).sizes).remove(0);
    Section { case, settings: json!({ "message_bytes": 120 }), columns, notes: Vec::new() }
}

/// A section in which each server has these values of one figure. Microseconds.
pub(crate) fn section_of(
    workload: Workload,
    at: usize,
    figure: &'static str,
    columns: &[(ServerKind, &[f64])],
) -> Section {
    let run = |value: &f64| Run { figures: vec![Figure::new(figure, "us", *value)], problems: Vec::new() };
    let column = |(kind, values): &(ServerKind, &[f64])| Column { kind: *kind, runs: values.iter().map(run).collect() };
    let case = workload.cases(&Line::parse_from(["x"]).sizes).remove(at);
    Section { case, settings: json!({}), columns: columns.iter().map(column).collect(), notes: Vec::new() }
}

/// The relay with these plugins or rules.
pub(crate) fn relay_with(chain: Chain) -> ServerKind {
    ServerKind::RelayWith(Variant::Chain(chain))
}

fn relay(values: &[f64]) -> Column {
    column(ServerKind::Relay, values)
}

#[test]
fn the_table_of_one_server_has_the_median_and_the_range() {
    let table = section(vec![relay(&[3.0, 1.0, 2.5])]).table();
    assert!(table.starts_with("w1: message bytes 120 (3 runs)"), "{table}");
    let row: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, ["latency", "p50", "ms", "2.500", "1", "–", "3"]);
}

#[test]
fn the_table_of_several_servers_has_the_median_ratio_of_pairs() {
    let floor = column(ServerKind::Rival(Rival::Sends), &[1.0, 10.0, 2.0]);
    let section = section(vec![relay(&[2.0, 10.0, 3.0]), floor]);
    let table = section.table();
    let row: Vec<&str> = table.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(row, ["latency", "p50", "ms", "3", "2", "×1.50"]);
    assert_eq!(section.json()["relay_by"]["one_send_floor"]["latency_p50"]["median"], 1.5);
}

#[test]
fn the_relay_with_plugins_is_compared_with_the_first_column() {
    let [bare, three] = [Chain::NoPlugins, Chain::Three].map(relay_with);
    let mut section = section(vec![column(bare, &[2.0, 4.0]), column(three, &[3.0, 4.4])]);
    section.notes = vec!["without `1 in Python`: not built".to_owned()];
    let table = section.table();
    assert!(table.contains("(×: by the first)") && table.contains("note: without `1 in Python`"), "{table}");
    assert_eq!(section.comparison(bare, "latency p50"), None);
    assert_eq!(section.json()["by_first"]["3_in_rust"]["latency_p50"]["max"], 1.5);
}

#[test]
fn the_increase_by_rules_is_taken_pair_by_pair() {
    let [without, with] = [Chain::NoRules, Chain::StarterRules].map(relay_with);
    let columns = [(without, &[2.0, 4.0, 9.0][..]), (with, &[5.0, 6.0, 10.0][..])];
    let section = section_of(Workload::Rules, 2, MESSAGE_CPU, &columns);
    assert_eq!(section.difference(MESSAGE_CPU), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
    let table = section.table();
    assert!(table.contains("with rules more server CPU per message: 2 us (1 – 3)"), "{table}");
    let plugins = [(relay_with(Chain::NoPlugins), &[2.0][..]), (relay_with(Chain::Three), &[5.0][..])];
    assert_eq!(section_of(Workload::Delivery, 0, MESSAGE_CPU, &plugins).difference(MESSAGE_CPU), None);
}

#[test]
fn a_difference_has_no_ratio() {
    for (figure, has) in [(JOINS_MORE, false), ("latency p50", true)] {
        let columns = [(ServerKind::Relay, &[2.0][..]), (ServerKind::Rival(Rival::Sends), &[-1.0][..])];
        assert_eq!(section_of(Workload::Joins, 0, figure, &columns).ratio(Rival::Sends, figure).is_some(), has);
    }
}

#[test]
fn a_failed_run_keeps_the_figures_of_the_others() {
    let mut section = section(vec![relay(&[3.0, 1.0])]);
    assert!(section.is_good());
    section.columns[0].runs.push(Run::failed(&anyhow::anyhow!("close code 1013")));
    assert!(!section.is_good());
    assert!(section.table().contains("FAILED: gischat-relay, run 3: close code 1013"));
    let json = &section.json()["servers"][0];
    assert_eq!(json["figures"]["latency_p50"]["median"], 2.0);
    assert_eq!(json["figures"]["latency_p50"]["runs"], json!([3.0, 1.0, null]));
    assert_eq!(json["problems"], json!([[], [], ["close code 1013"]]));
}

#[test]
fn a_busy_tool_is_noted() {
    let second = Duration::from_secs(1);
    let usage = |own| Usage { wall: second, server: second, own, foreign: Duration::ZERO, stolen: Duration::ZERO };
    for (own, noted) in [(second, true), (second / 2, false)] {
        let run = Run { figures: Figure::cpu_figures(&usage(own)).to_vec(), problems: Vec::new() };
        let column = Column { kind: ServerKind::Relay, runs: vec![run] };
        assert_eq!(section(vec![column]).table().contains("the load tool was busy"), noted);
    }
}

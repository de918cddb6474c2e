//! The table and the JSON of made-up runs.

use std::time::Duration;

use super::*;

fn section(values: &[f64]) -> Section {
    let runs = values
        .iter()
        .map(|&value| Run { figures: vec![Figure::new("latency p50", "ms", value)], problems: Vec::new() });
    Section { name: "w1", settings: json!({ "message_bytes": 120 }), runs: runs.collect() }
}

#[test]
fn numbers_have_four_digits_or_are_whole() {
    let cases = [
        (0.0, "0"),
        (0.012_345, "0.01235"),
        (12.345, "12.35"),
        (999.94, "999.9"),
        (1_234_567.8, "1 234 568"),
        (-1_000.0, "-1 000"),
    ];
    for (value, expected) in cases {
        assert_eq!(number(value), expected);
    }
    assert_eq!(number(f64::NAN), "-");
}

#[test]
fn the_table_has_the_median_and_the_range() {
    let table = section(&[3.0, 1.0, 2.5]).table();
    assert!(table.starts_with("w1: message bytes 120 (3 runs)"), "{table}");
    assert!(table.contains("latency p50"), "{table}");
    assert!(table.contains("2.500 ms    1 – 3"), "{table}");
}

#[test]
fn a_failed_run_leaves_the_figures_of_the_others() {
    let mut section = section(&[3.0, 1.0]);
    assert!(section.is_good());
    section.runs.push(Run::failed(&anyhow::anyhow!("close code 1013")));
    assert!(!section.is_good());
    assert!(section.table().contains("FAILED in run 3: close code 1013"));
    let json = section.json();
    assert_eq!(json["figures"]["latency_p50"]["median"], 2.0);
    assert_eq!(json["figures"]["latency_p50"]["runs"], json!([3.0, 1.0]));
    assert_eq!(json["problems"], json!([[], [], ["close code 1013"]]));
}

#[test]
fn a_busy_tool_is_pointed_out() {
    let second = Duration::from_secs(1);
    let usage = |own| Usage { wall: second, relay: second, own, foreign: Duration::ZERO, stolen: Duration::ZERO };
    for (own, noted) in [(second, true), (second / 2, false)] {
        let run = Run { figures: Figure::of_usage(&usage(own)).to_vec(), problems: Vec::new() };
        let section = Section { name: "w1", settings: json!({}), runs: vec![run] };
        assert_eq!(section.table().contains("the load tool was busy"), noted);
    }
}

//! The documents of invented results.

use serde_json::json;

use super::*;
use crate::chains::Chain;
use crate::report::P99_BARE;
use crate::section::tests::{relay_with, section_of};

#[test]
fn the_table_of_plugins_notes_what_is_left_out() {
    let columns = [(relay_with(Chain::StuckIdle), &[2.0][..]), (relay_with(Chain::StuckBusy), &[3.0][..])];
    let mut section = section_of(Workload::Stuck, 0, P99_BARE, &columns);
    section.notes.push("without something".to_owned());
    let table = variant_table(&section);
    assert!(table.starts_with("| stuck | none stuck | stuck | goal |\n| --- | --- | --- | --- |\n"), "{table}");
    assert!(table.contains("| 2 | 3 · ×1.50 (1.50–1.50) | stuck ≤ 2 × none stuck: yes |"), "{table}");
    assert!(table.ends_with("\n\nwithout something"), "{table}");
}

#[test]
fn the_table_of_rules_has_their_cost() {
    let columns =
        [(relay_with(Chain::NoRules), &[0.2, 0.2][..]), (relay_with(Chain::StarterRules), &[0.203, 0.203][..])];
    let sections = [0, 2].map(|at| section_of(Workload::Rules, at, DELIVERY_CPU, &columns));
    let results = Results { facts: &json!({}), entrants: &[], sections: &sections, runs: 2 };
    let table = results.rules_table().expect("there are sections");
    assert!(table.starts_with("| rules | figure | no rules | starter rules | more | goal |\n| ---"), "{table}");
    let w1 = "| W1 | server CPU per delivery, µs | 0.200 | 0.203 · ×1.01 (1.01–1.01) | 0.0030 (0.0030–0.0030) | \
              starter rules ≤ 1.05 × no rules: yes |";
    assert!(table.contains(w1), "{table}");
    assert!(table.contains("| W3 | server CPU per delivery, µs |") && table.ends_with("| - | - | - |  |"), "{table}");
}

#[test]
fn figures_history_and_curves_have_medians_and_ratios() {
    let entrant = |kind| Entrant::nowhere(kind);
    let entrants = [entrant(ServerKind::Relay), entrant(ServerKind::Rival(Rival::Coalescing))];
    let pair = |workload, at, ours: f64, theirs: f64| {
        let columns =
            [(ServerKind::Relay, &[ours, ours][..]), (ServerKind::Rival(Rival::Coalescing), &[theirs, theirs][..])];
        section_of(workload, at, DELIVERY_CPU, &columns)
    };
    let sections =
        [pair(Workload::W1, 0, 0.21, 0.2), pair(Workload::Members, 0, 0.3, 0.2), pair(Workload::Members, 1, 0.2, 0.2)];
    let facts = json!({ "date": "2026-11-23T07:00:00Z", "commit": "abc", "cpu": "some", "cores": 2 });
    let results = Results { facts: &facts, entrants: &entrants, sections: &sections, runs: 2 };
    let figures = results.figures();
    assert!(figures.contains("| 0.210 | 0.200 · ×1.05 (1.05–1.05) | ≤ 1.10 × coalescing floor: yes |"), "{figures}");
    assert!(figures.contains("| 30 | 0.200 | 0.200 · ×1 (1–1) | - |"), "{figures}");
    assert!(figures.contains("a factor of 1.50 over all members; goal ≤ 1.5: yes"), "{figures}");
    assert!(figures.ends_with("in any run of any server."), "{figures}");
    assert_eq!(results.history(), "| 2026-11-23 | abc | some, 2 cores | 0.210 (×1.05) |");
    let curves = results.plot(Workload::Members).curves;
    assert_eq!(curves[0].points, [(10.0, 0.3), (30.0, 0.2)]);
}

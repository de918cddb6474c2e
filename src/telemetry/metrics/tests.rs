use super::*;
use crate::fixtures::room;

#[test]
fn metrics_have_units_and_labels() {
    let metrics = Metrics::new("1.2.3", "production");
    metrics.room(&room("Living room")).connections.set(4);
    metrics.count_message(Outcome::Reject, Some("shape"));
    metrics.count_round(1_000, std::time::Duration::from_micros(90));
    metrics.filter_seconds("rate").observe(4e-7);
    let text = metrics.encode().unwrap();
    for line in [
        "gischat_build_info{environment=\"production\",version=\"1.2.3\"} 1",
        "gischat_room_connections{room=\"Living room\"} 4",
        "gischat_messages_total{filter=\"shape\",outcome=\"reject\"} 1",
        "gischat_deliveries_total 1000",
        "gischat_filter_duration_seconds_count{filter=\"rate\"} 1",
        "gischat_round_duration_seconds_count 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
}

#[test]
fn the_longest_deadline_of_a_plugin_and_a_slow_round_have_buckets() {
    let metrics = Metrics::default();
    metrics.filter_seconds("plugin").observe(10.0);
    metrics.count_round(1, std::time::Duration::from_secs(2));
    let text = metrics.encode().unwrap();
    for buckets in ["gischat_filter_duration_seconds_bucket", "gischat_round_duration_seconds_bucket"] {
        let finite = text.lines().filter(|line| line.starts_with(buckets) && !line.contains("+Inf"));
        let counts: Vec<&str> = finite.filter_map(|line| line.rsplit(' ').next()).collect();
        assert_eq!(counts.last(), Some(&"1"), "{text}");
    }
}

#[test]
fn counts_of_moderation_only_grow() {
    let metrics = Metrics::default();
    for audit_lost in [3, 2, 5] {
        metrics.set_moderation(&ModerationTotals { audit_lost, held: 10 - audit_lost, ..Default::default() });
    }
    let text = metrics.encode().unwrap();
    assert!(text.contains("\ngischat_audit_lines_lost_total 5\n"), "{text}");
    assert!(text.contains("\ngischat_held_messages 5\n"), "{text}");
}

#[test]
fn another_environment_takes_the_place_of_the_previous_one() {
    let metrics = Metrics::new("1.2.3", "staging");
    metrics.set_build("1.2.3", "production");
    assert_eq!(metrics.encode().unwrap().matches("gischat_build_info{").count(), 1);
}

#[test]
fn metrics_of_a_removed_room_are_gone() {
    let (metrics, room) = (Metrics::default(), room("QGIS"));
    metrics.room(&room).nicknames.set(1);
    metrics.forget_room(&room);
    assert!(!metrics.encode().unwrap().contains("QGIS"));
}

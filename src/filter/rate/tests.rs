use super::*;
use crate::fixtures::{self, address, message};
use crate::model::{ConnectionId, Script};

/// A rate so low that no bucket refills during a test.
fn limit(burst: u32) -> RateLimit {
    RateLimit { per_second: NonZeroU32::MIN, burst: non_zero(burst) }
}

fn rate(connection: u32, nickname: u32, address: u32, room: u32) -> RateFilter {
    RateFilter::new(&Config {
        enabled: true,
        connection: limit(connection),
        nickname: limit(nickname),
        address: limit(address),
        put: limit(address),
        room: limit(room),
    })
}

fn sender(connection: u64, host: u8, room: &str) -> Sender {
    Sender {
        connection: Some(ConnectionId(connection)),
        address: address(host),
        room: fixtures::room(room),
        ..fixtures::sender()
    }
}

fn refusal(rate: &RateFilter, author: &str, sender: &Sender) -> Option<String> {
    let message = message(author, "hi");
    match rate.examine(&message, sender, Purpose::Judge) {
        FilterAnswer::Ready(Finding { verdict: Verdict::Reject(reason), .. }) => {
            assert!(reason.retry_after.is_some_and(|wait| wait > Duration::ZERO && wait <= Duration::from_secs(1)));
            Some(reason.text.into_owned())
        }
        FilterAnswer::Ready(Finding { verdict: Verdict::Pass, .. }) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_connection_must_wait_after_its_burst() {
    let rate = rate(3, 100, 100, 100);
    for n in 0..3 {
        assert_eq!(refusal(&rate, &format!("jane{n}"), &sender(1, 1, "QGIS")), None);
    }
    let text = "too many messages from this connection; try again in 1 s";
    assert_eq!(refusal(&rate, "jane3", &sender(1, 1, "QGIS")).as_deref(), Some(text));
    assert_eq!(refusal(&rate, "jane3", &sender(2, 1, "QGIS")), None);
}

#[test]
fn a_nickname_is_limited_across_connections_and_letter_case_but_not_across_rooms() {
    let rate = rate(100, 2, 100, 100);
    assert_eq!(refusal(&rate, "jane", &sender(1, 1, "QGIS")), None);
    assert_eq!(refusal(&rate, "JANE", &sender(2, 2, "QGIS")), None);
    let text = "too many messages under this nickname; try again in 1 s";
    assert_eq!(refusal(&rate, "Jane", &sender(3, 3, "QGIS")).as_deref(), Some(text));
    assert_eq!(refusal(&rate, "Jane", &sender(3, 3, "QField")), None);
}

#[test]
fn an_address_is_limited_across_connections_nicknames_and_rooms() {
    let rate = rate(100, 100, 2, 100);
    assert_eq!(refusal(&rate, "jane", &sender(1, 1, "QGIS")), None);
    assert_eq!(refusal(&rate, "hans", &sender(2, 1, "QField")), None);
    // Its share.
    for _ in 0..2 {
        assert_eq!(refusal(&rate, "mary", &sender(3, 1, "QGIS")), None);
    }
    let text = "too many messages from this address; try again in 1 s";
    assert_eq!(refusal(&rate, "mary", &sender(3, 1, "QGIS")).as_deref(), Some(text));
    assert_eq!(refusal(&rate, "mary", &sender(3, 2, "QGIS")), None);
}

#[test]
fn neighbours_at_an_address_cannot_silence_a_quiet_connection() {
    let rate = rate(100, 1_000, 100, 10_000);
    let at = |seconds: u64, connection| {
        let context = crate::model::SenderContext { since_start: Duration::from_secs(seconds), ..Default::default() };
        Sender { context, ..sender(connection, 1, "QGIS") }
    };
    for minute in 0..10 {
        for neighbour in 0..50 {
            for _ in 0..5 {
                // Refused or not.
                refusal(&rate, &format!("n{neighbour}"), &at(minute * 60, neighbour));
            }
        }
        assert_eq!(refusal(&rate, "mary", &at(minute * 60, 99)), None, "minute {minute}");
        assert_eq!(refusal(&rate, "mary", &at(minute * 60, 99)), None, "minute {minute}");
        assert!(refusal(&rate, "mary", &at(minute * 60, 99)).is_some(), "no more than its share");
    }
}

#[test]
fn the_shares_of_a_thousand_connections_at_an_address_are_bounded() {
    let rate = rate(100, 10_000, 300, 100_000);
    let passed = (0..1_000)
        .flat_map(|connection| [connection; 2])
        .filter(|connection| refusal(&rate, &format!("n{connection}"), &sender(*connection, 1, "QGIS")).is_none())
        .count();
    assert_eq!(passed, 300 + 150);
}

#[test]
fn puts_take_nothing_from_the_connections_at_their_address() {
    let rate = rate(100, 1_000, 2, 1_000);
    let put = Sender { connection: None, ..sender(0, 1, "QGIS") };
    let puts: Vec<bool> = (0..10).map(|n| refusal(&rate, &format!("bot{n}"), &put).is_none()).collect();
    assert_eq!(puts.iter().filter(|passed| **passed).count(), 2);
    let text = "too many messages by PUT from this address; try again in 1 s";
    assert_eq!(refusal(&rate, "bot", &put).as_deref(), Some(text));
    let passed = (0..10).take_while(|_| refusal(&rate, "mary", &sender(3, 1, "QGIS")).is_none()).count();
    assert_eq!(passed, 4, "the limit of the address and the share of the connection");
}

#[test]
fn a_room_is_limited_across_all_senders() {
    let rate = rate(100, 100, 100, 2);
    assert_eq!(refusal(&rate, "jane", &sender(1, 1, "QGIS")), None);
    assert_eq!(refusal(&rate, "hans", &sender(2, 2, "QGIS")), None);
    let text = "too many messages in this room; try again in 1 s";
    assert_eq!(refusal(&rate, "mary", &sender(3, 3, "QGIS")).as_deref(), Some(text));
    assert_eq!(refusal(&rate, "mary", &sender(3, 3, "QField")), None);
}

#[test]
fn a_message_refused_to_a_connection_takes_nothing_from_its_room() {
    let rate = rate(1, 100, 100, 2);
    assert_eq!(refusal(&rate, "jane", &sender(1, 1, "QGIS")), None);
    for _ in 0..10 {
        assert!(refusal(&rate, "jane", &sender(1, 1, "QGIS")).is_some());
    }
    assert_eq!(refusal(&rate, "hans", &sender(2, 2, "QGIS")), None);
}

#[test]
fn a_put_has_no_connection_but_is_subject_to_the_other_limits() {
    let rate = rate(1, 2, 100, 100);
    let put = Sender { connection: None, ..sender(0, 1, "QGIS") };
    assert_eq!(refusal(&rate, "jane", &put), None);
    assert_eq!(refusal(&rate, "jane", &put), None);
    assert!(refusal(&rate, "jane", &put).is_some());
}

#[test]
fn idle_keys_are_pruned_and_busy_ones_are_kept() {
    let fast = RateLimit { per_second: MAX_RATE, burst: NonZeroU32::MIN };
    let (quiet, busy) = (Buckets::with_manual_clock(fast), Buckets::with_manual_clock(limit(1)));
    for key in 0..1_000_u32 {
        let now = Duration::from_micros(key.into());
        assert!(quiet.take_at(key, NonZeroU32::MIN, now).is_ok() && busy.take_at(key, NonZeroU32::MIN, now).is_ok());
    }
    // A bucket with the fast limit is full again after a microsecond.
    let now = Duration::from_millis(2);
    quiet.prune_at(now);
    busy.prune_at(now);
    assert_eq!((quiet.len(), busy.len()), (0, 1_000));
}

#[test]
fn a_bucket_refills_by_the_time_of_the_messages() {
    let rate = rate(2, 100, 100, 100);
    let wait_at = |seconds: f64| {
        let context =
            crate::model::SenderContext { since_start: Duration::from_secs_f64(seconds), ..Default::default() };
        let message = message("jane", "hi");
        match rate.examine(&message, &Sender { context, ..sender(1, 1, "QGIS") }, Purpose::Judge) {
            FilterAnswer::Ready(Finding { verdict: Verdict::Reject(Reason { retry_after, .. }), .. }) => retry_after,
            _ => None,
        }
    };
    let waits = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0].map(wait_at);
    let quarters = |n: u64| Some(Duration::from_millis(250 * n));
    assert_eq!(waits, [None, None, quarters(2), quarters(1), None, quarters(2), None]);
}

#[test]
fn a_time_beyond_any_uptime_takes_a_token_like_any_other() {
    let buckets = Buckets::with_manual_clock(limit(1));
    assert_eq!(buckets.take_at(1, NonZeroU32::MIN, Duration::MAX), Ok(()));
    assert_eq!(buckets.take_at(1, NonZeroU32::MIN, Duration::MAX), Err(Duration::from_secs(1)));
}

#[test]
fn disabled_limits_refuse_nothing() {
    let off = Config {
        enabled: false,
        connection: limit(1),
        nickname: limit(1),
        address: limit(1),
        put: limit(1),
        room: limit(1),
    };
    let rate = RateFilter::new(&off);
    for _ in 0..100 {
        assert_eq!(refusal(&rate, "jane", &sender(1, 1, "QGIS")), None);
    }
}

#[test]
fn an_unchanged_limit_keeps_its_buckets_when_another_one_changes() {
    let config = |connection, nickname| Config {
        enabled: true,
        connection: limit(connection),
        nickname: limit(nickname),
        address: limit(100),
        put: limit(100),
        room: limit(100),
    };
    let before = RateFilter::new(&config(1, 1));
    assert_eq!(refusal(&before, "jane", &sender(1, 1, "QGIS")), None);
    let after = before.with_limits(&config(1, 5));
    assert_eq!(
        refusal(&after, "hans", &sender(1, 1, "QGIS")).as_deref(),
        Some("too many messages from this connection; try again in 1 s")
    );
    assert_eq!(refusal(&after, "jane", &sender(2, 1, "QGIS")), None, "the other limit has full buckets");
    let off = after.with_limits(&Config { enabled: false, ..config(1, 5) });
    assert_eq!(refusal(&off, "jane", &sender(1, 1, "QGIS")), None);
    assert!(refusal(&off.with_limits(&config(1, 5)), "mary", &sender(1, 1, "QGIS")).is_some());
}

#[test]
fn a_trial_takes_no_tokens_and_is_never_refused() {
    let rate = rate(1, 1, 1, 1);
    let sender = sender(1, 1, "QGIS");
    let message = message("jane", "hi");
    let tried = || match rate.examine(&message, &sender, Purpose::Try) {
        FilterAnswer::Ready(finding) => finding.verdict,
        pending @ FilterAnswer::Pending(_) => panic!("{pending:?}"),
    };
    for _ in 0..5 {
        assert_eq!(tried(), Verdict::Pass);
    }
    assert_eq!(refusal(&rate, "jane", &sender), None);
    assert!(refusal(&rate, "jane", &sender).is_some());
    assert_eq!(tried(), Verdict::Pass);
}

#[test]
fn a_large_message_counts_as_several() {
    let script = |bytes: usize| {
        let script = Script { name: "x".to_owned(), code: "x".repeat(bytes) };
        let content = Arc::new(Content::Script(script));
        cost(&Message::new("jane", MessageKind::Content { avatar: None, content })).get()
    };
    assert_eq!([0, BYTES_PER_MESSAGE - 1, BYTES_PER_MESSAGE, 5 * BYTES_PER_MESSAGE].map(script), [1, 1, 2, 6]);
}

#[test]
fn a_message_that_counts_as_more_than_a_burst_needs_a_full_bucket() {
    let limit = RateLimit { per_second: NonZeroU32::MIN, burst: non_zero(4) };
    let buckets = Buckets::with_manual_clock(limit);
    let at = |tokens, second| buckets.take_at(1, non_zero(tokens), Duration::from_secs(second));
    assert_eq!(at(9, 10), Ok(()));
    assert_eq!(at(9, 10), Err(Duration::from_secs(4)));
    assert_eq!(at(1, 11), Ok(()));
    assert_eq!(at(9, 14), Err(Duration::from_secs(1)));
    assert_eq!(at(9, 15), Ok(()));
}

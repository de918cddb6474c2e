use gischat_filter::testing::{Harness, json};
use gischat_filter::{Action, Verdict};

use super::*;

/// The host of the first refused link of a text, with no domains allowed.
fn leads_to(text: &str) -> Option<String> {
    let reason = Harness::<LinkGuard>::new(json!({})).check(text).reason?;
    reason.strip_prefix("Links to ").and_then(|rest| rest.split_once(" are ")).map(|(host, _)| host.to_owned())
}

fn guard() -> Harness<LinkGuard> {
    Harness::new(json!({ "allow": ["osgeo.org"], "deny": ["bad.osgeo.org", "evil.example"] }))
}

fn newcomer(mut guard: Harness<LinkGuard>) -> Harness<LinkGuard> {
    guard.sender.seconds_connected = 5;
    guard.sender.accepted = 0;
    guard
}

#[test]
fn a_link_is_found_in_each_of_its_forms() {
    for text in [
        "http://a.example",
        "see https://a.example/path?q=1#x, please",
        "(https://a.example)",
        "https://a.example.",
        "«https://a.example»",
        "HTTPS://A.EXAMPLE/",
        "ｈｔｔｐｓ：／／ａ．ｅｘａｍｐｌｅ",
        "https://a。example/",
        "https:///a.example",
        "ftp://a.example:21/x",
        "https://user:secret@a.example:8443/x",
        "https://osgeo.org@a.example/",
        "<a href='https://a.example'>",
        "look:https://a.example",
    ] {
        assert_eq!(leads_to(text).as_deref(), Some("a.example"), "{text}");
    }
}

#[test]
fn a_recognizable_link_needs_no_scheme() {
    assert_eq!(leads_to("see www.a.example!").as_deref(), Some("www.a.example"));
    assert_eq!(leads_to("bit.ly/xyz").as_deref(), Some("bit.ly"));
    assert_eq!(leads_to("(my.shop.com/)").as_deref(), Some("my.shop.com"));
    assert_eq!(leads_to("bücher.de/x").as_deref(), Some("bücher.de"));
}

#[test]
fn an_address_of_numbers_is_a_link() {
    assert_eq!(leads_to("http://203.0.113.7/x").as_deref(), Some("203.0.113.7"));
    assert_eq!(leads_to("http://3405803783/").as_deref(), Some("3405803783"));
    assert_eq!(leads_to("http://[2001:db8::1]:80/").as_deref(), Some("2001:db8::1"));
}

#[test]
fn texts_without_links_pass() {
    for text in [
        "roads.gpkg",
        "version 3.40.1/LTR",
        "qgis.org is a nice site",
        "data.shp/roads.dbf",
        "C:/Users/jane/map.qgz",
        "c://data",
        "file:///home/jane/map.qgz",
        "/vsizip/x.zip/a.tif",
        "src/my.com/x",
        "and/or ... 1/2",
        "http://",
        "http://localhost:8080/geoserver",
        "http://<server>/wms",
        "jane@example.com",
        "EPSG:4326",
    ] {
        assert_eq!(leads_to(text), None, "{text}");
    }
}

#[test]
fn all_links_of_a_text_are_checked() {
    for text in [
        "https://osgeo.org and https://a.example",
        "https://osgeo.org,https://a.example",
        "https://osgeo.org/?to=https://a.example",
        "osgeo.org/ a.com/",
    ] {
        assert_eq!(guard().check(text).action, Action::Reject, "{text}");
    }
}

#[test]
fn an_allowed_domain_includes_its_subdomains_only() {
    for text in ["https://osgeo.org", "https://trac.osgeo.org/x", "www.osgeo.org", "osgeo.org/x"] {
        assert_eq!(guard().check(text), Verdict::pass(), "{text}");
        assert_eq!(newcomer(guard()).check(text), Verdict::pass(), "{text}");
    }
    for text in ["https://notosgeo.org", "https://osgeo.org.a.example", "https://org"] {
        let links = text != "https://org";
        assert_eq!(guard().check(text).action == Action::Reject, links, "{text}");
    }
}

#[test]
fn a_denied_domain_is_denied_to_everybody_even_below_an_allowed_one() {
    let mut guard = guard();
    guard.sender.trusted = true;
    for host in ["bad.osgeo.org", "very.bad.osgeo.org", "evil.example"] {
        let verdict = Verdict::reject(format!("Links to {host} are not allowed here.")).label("link");
        assert_eq!(guard.check(&format!("https://{host}/")), verdict);
    }
}

#[test]
fn a_newcomer_may_only_link_to_allowed_domains() {
    let guard = || Harness::<LinkGuard>::new(json!({ "allow": ["osgeo.org"], "only_allowed": false }));
    let reason = "Links to a.example are not for newcomers: please stay a little first.";
    let mut fresh = newcomer(guard());
    assert_eq!(fresh.check("https://a.example"), Verdict::reject(reason).label("link"));
    assert_eq!(fresh.check("https://osgeo.org"), Verdict::pass());
    assert_eq!(guard().check("https://a.example"), Verdict::pass());
}

#[test]
fn a_sender_with_time_messages_or_trust_is_not_a_newcomer() {
    let fresh = || newcomer(Harness::<LinkGuard>::new(json!({ "only_allowed": false })));
    let passes = |change: fn(&mut Sender)| {
        let mut guard = fresh();
        change(&mut guard.sender);
        guard.check("https://a.example").action == Action::Pass
    };
    assert!(!passes(|sender| sender.seconds_connected = 59));
    assert!(passes(|sender| sender.seconds_connected = 60));
    assert!(!passes(|sender| sender.accepted = 2));
    assert!(passes(|sender| sender.accepted = 3));
    assert!(passes(|sender| sender.trusted = true));
}

#[test]
fn domains_in_settings_are_normalized_and_validated() {
    let mut guard = Harness::<LinkGuard>::new(json!({ "allow": ["*.OSGeo.org."] }));
    assert_eq!(guard.check("https://osgeo.org"), Verdict::pass());
    for domain in ["https://osgeo.org", "osgeo.org/x", "", "a b"] {
        let error = Harness::<LinkGuard>::try_new(json!({ "deny": [domain] })).map(|_| ()).unwrap_err();
        assert_eq!(error, format!("`deny`: `{domain}` is not a domain; write it like `osgeo.org`"));
    }
}

#[test]
fn a_long_host_does_not_make_a_long_reason() {
    let host = format!("{}.example", "漢".repeat(10_000));
    let reason = guard().check(&format!("https://{host}/")).reason.unwrap();
    assert!(reason.len() < 400 && reason.contains("漢…"), "{reason}");
}

//! Tests: other spellings of an address that still lead there when somebody follows them.

use super::links;

/// The links of a text: what of it is the link, and the host.
fn found(text: &str) -> Vec<(&str, String)> {
    let mut all = Vec::new();
    links(text, |link| all.push((&text[link.bytes.clone()], link.host.to_string())));
    all
}

fn is_one(text: &str, link: &str, host: &str) {
    assert_eq!(found(text), [(link, host.to_owned())], "{text}");
}

fn is_none(text: &str) {
    assert_eq!(found(text), [], "{text}");
}

#[test]
fn a_capitalised_last_label_is_of_a_host_if_a_path_follows() {
    is_one("t.Me/abc", "t.Me/abc", "t.me");
    is_one("Discord.Gg/abc", "Discord.Gg/abc", "discord.gg");
    is_one("Evil.Com/path", "Evil.Com/path", "evil.com");
    is_none("Nein.Es / oder");
}

#[test]
fn a_port_a_query_a_fragment_and_a_backslash_are_like_a_path() {
    for text in ["t.me:443/abc", "t.me?start=x", "t.me:443?start=x", "t.me#x", r"t.me\x", "t.me./x", "t.me.:443/x"] {
        is_one(text, text, "t.me");
    }
    is_one("https://t.me./x", "https://t.me./x", "t.me");
    for text in [
        "is it.so?Yes",
        "go.to?Yes = no",
        "README.md#use",
        "layer.id#3",
        "main.rs:10",
        "layer.name?x=1",
        "\"yes.no\\n\"",
        r"\\maps.example.com\share",
        r"C:\example.com\x",
        r"maps\example.com\x",
        r"style.sh\x",
    ] {
        is_none(text);
    }
    is_one("www.example.com.#x", "www.example.com", "www.example.com");
}

#[test]
fn what_shows_nothing_is_not_of_a_host() {
    for sign in "\u{34f}\u{180b}\u{180d}\u{180f}\u{200e}\u{200f}\u{202a}\u{202e}\u{2064}\u{2066}\u{2069}\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}"
        .chars()
    {
        for text in [format!("https://t.me{sign}/abc"), format!("https://t{sign}.me/abc"), format!("t.m{sign}e/abc")] {
            is_one(&text, &text, "t.me");
        }
        assert_eq!(found(&format!("see example.com.{sign} and"))[0].1, "example.com", "{}", sign.escape_unicode());
    }
}

#[test]
fn bytes_of_the_host_of_an_address_may_be_written_in_digits() {
    for (text, host) in [
        ("https://t%2eme/abc", "t.me"),
        ("https://%74.me/x", "t.me"),
        ("https://%54%2E%4d%65/x", "t.me"),
        ("https://discord%2egg/x", "discord.gg"),
        ("https://t%EF%BC%8Eme%2e/x", "t.me"),
        ("https://a@t%2eme:443/x", "t.me"),
    ] {
        is_one(text, text, host);
    }
    // No host begins after these.
    for text in ["https://example.com%20x", "https://example.com%", "https://example.com%+1", "https://example.com%ff"]
    {
        assert_eq!(found(text)[0].1, "example.com", "{text}");
    }
    for text in ["https://%2e/x", "https://%", "100%.com", "https://%61/"] {
        is_none(text);
    }
}

#[test]
fn backslashes_follow_a_scheme_as_well() {
    for text in [r"https:\\t.me\x", r"https:/\t.me/x", r"https:\/t.me/x"] {
        is_one(text, text, "t.me");
    }
}

#[test]
fn an_address_in_the_path_of_another_is_a_link() {
    for (text, first) in [
        ("https://qgis.org/,https://t.me/abc", "https://qgis.org/"),
        ("https://qgis.org/HTTPS:\\\\t.me/abc", "https://qgis.org/"),
        ("[https://qgis.org/](https://t.me/abc)", "https://qgis.org/"),
        ("https://qgis.org/a:b?u=http://t.me/abc", "https://qgis.org/a:b?u="),
        ("qgis.org/x;https://t.me/abc", "qgis.org/x"),
    ] {
        let all = found(text);
        assert_eq!(all.len(), 2, "{text}");
        assert_eq!((all[0].0, &*all[0].1, &*all[1].1), (first, "qgis.org", "t.me"), "{text}");
    }
    is_one("https://qgis.org/a://b", "https://qgis.org/a://b", "qgis.org");
}

#[test]
fn one_sign_before_a_host_with_a_path_hides_nothing() {
    for text in ["/t.me/x", "@t.me/x", "_t.me/x", "see @t.me/x", "(@t.me/x)", "see /t.me/x", "_t.me/x_"] {
        is_one(text, "t.me/x", "t.me");
    }
    for text in ["/t.me", "@t.me", "_t.me", "joe@example.org/x", "maps/example.com/x", "/data.nc/x", "@layer.name/2"] {
        is_none(text);
    }
}

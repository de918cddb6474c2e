//! Tests: alternative spellings of a URL that browsers accept.

use super::find_links;

/// Returns the links of a text: the link as written, and its host.
fn found(text: &str) -> Vec<(&str, String)> {
    let mut all = Vec::new();
    find_links(text, |link| all.push((&text[link.bytes.clone()], link.host.to_string())));
    all
}

fn assert_one(text: &str, link: &str, host: &str) {
    assert_eq!(found(text), [(link, host.to_owned())], "{text}");
}

fn assert_none(text: &str) {
    assert_eq!(found(text), [], "{text}");
}

#[test]
fn a_capitalised_last_label_belongs_to_a_host_if_a_path_follows() {
    assert_one("t.Me/abc", "t.Me/abc", "t.me");
    assert_one("Discord.Gg/abc", "Discord.Gg/abc", "discord.gg");
    assert_one("Evil.Com/path", "Evil.Com/path", "evil.com");
    assert_none("Nein.Es / oder");
}

#[test]
fn a_port_a_query_a_fragment_and_a_backslash_count_as_a_path() {
    for text in ["t.me:443/abc", "t.me?start=x", "t.me:443?start=x", "t.me#x", r"t.me\x", "t.me./x", "t.me.:443/x"] {
        assert_one(text, text, "t.me");
    }
    assert_one("https://t.me./x", "https://t.me./x", "t.me");
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
        assert_none(text);
    }
    assert_one("www.example.com.#x", "www.example.com", "www.example.com");
}

#[test]
fn invisible_characters_are_not_part_of_a_host() {
    for sign in "\u{34f}\u{180b}\u{180d}\u{180f}\u{200e}\u{200f}\u{202a}\u{202e}\u{2064}\u{2066}\u{2069}\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}"
        .chars()
    {
        for text in [format!("https://t.me{sign}/abc"), format!("https://t{sign}.me/abc"), format!("t.m{sign}e/abc")] {
            assert_one(&text, &text, "t.me");
        }
        assert_eq!(found(&format!("see example.com.{sign} and"))[0].1, "example.com", "{}", sign.escape_unicode());
    }
}

#[test]
fn the_host_of_a_url_may_be_percent_encoded() {
    for (text, host) in [
        ("https://t%2eme/abc", "t.me"),
        ("https://%74.me/x", "t.me"),
        ("https://%54%2E%4d%65/x", "t.me"),
        ("https://discord%2egg/x", "discord.gg"),
        ("https://t%EF%BC%8Eme%2e/x", "t.me"),
        ("https://a@t%2eme:443/x", "t.me"),
    ] {
        assert_one(text, text, host);
    }
    // Invalid escapes end the host.
    for text in ["https://example.com%20x", "https://example.com%", "https://example.com%+1", "https://example.com%ff"]
    {
        assert_eq!(found(text)[0].1, "example.com", "{text}");
    }
    for text in ["https://%2e/x", "https://%", "100%.com", "https://%61/"] {
        assert_none(text);
    }
}

#[test]
fn backslashes_may_follow_a_scheme() {
    for text in [r"https:\\t.me\x", r"https:/\t.me/x", r"https:\/t.me/x"] {
        assert_one(text, text, "t.me");
    }
}

#[test]
fn a_url_in_the_path_of_another_is_a_link() {
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
    assert_one("https://qgis.org/a://b", "https://qgis.org/a://b", "qgis.org");
}

#[test]
fn one_sign_before_a_host_with_a_path_does_not_hide_it() {
    for text in ["/t.me/x", "@t.me/x", "_t.me/x", "see @t.me/x", "(@t.me/x)", "see /t.me/x", "_t.me/x_"] {
        assert_one(text, "t.me/x", "t.me");
    }
    for text in ["/t.me", "@t.me", "_t.me", "joe@example.org/x", "maps/example.com/x", "/data.nc/x", "@layer.name/2"] {
        assert_none(text);
    }
}

use super::*;
use proptest::prelude::*;

fn found(text: &str) -> Vec<(&str, String, String, bool)> {
    let mut all = Vec::new();
    find_links(text, |link| {
        all.push((&text[link.bytes.clone()], link.host.to_string(), link.domain().to_owned(), link.is_certain));
    });
    all
}

fn assert_none(text: &str) {
    assert_eq!(found(text), [], "{text}");
}

/// Texts with one link: text, the link as written, host, domain, whether it is certain.
const LINKS: &[(&str, &str, &str, &str, bool)] = &[
    ("see https://example.com/a?b=1#c.", "https://example.com/a?b=1#c", "example.com", "example.com", true),
    ("HTTP://WWW.Example.COM", "HTTP://WWW.Example.COM", "www.example.com", "example.com", true),
    ("(http://example.org/x_(y))", "http://example.org/x_(y)", "example.org", "example.org", true),
    ("ftp://ftp.example.org:21/pub", "ftp://ftp.example.org:21/pub", "ftp.example.org", "example.org", true),
    ("hxxps://evil.example.com", "hxxps://evil.example.com", "evil.example.com", "example.com", true),
    ("https://google.com@evil.ru/x", "https://google.com@evil.ru/x", "evil.ru", "evil.ru", true),
    (
        "https://user:pass@host.example.de:8443/",
        "https://user:pass@host.example.de:8443/",
        "host.example.de",
        "example.de",
        true,
    ),
    ("http://127.0.0.1:8080/wms", "http://127.0.0.1:8080/wms", "127.0.0.1", "127.0.0.1", true),
    ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x", "[2001:db8::1]", "[2001:db8::1]", true),
    ("http://2130706433/", "http://2130706433/", "2130706433", "2130706433", true),
    ("http://map_server.example.org", "http://map_server.example.org", "map_server.example.org", "example.org", true),
    ("http://nas.local/tiles", "http://nas.local/tiles", "nas.local", "nas.local", true),
    ("/vsicurl/https://example.com/dem.tif", "https://example.com/dem.tif", "example.com", "example.com", true),
    ("www.example.com", "www.example.com", "www.example.com", "example.com", true),
    ("www.qgis.org.", "www.qgis.org", "www.qgis.org", "qgis.org", true),
    ("www.script.sh", "www.script.sh", "www.script.sh", "script.sh", true),
    ("example.com", "example.com", "example.com", "example.com", false),
    ("Example.COM!", "Example.COM", "example.com", "example.com", false),
    ("visit example.co.uk now", "example.co.uk", "example.co.uk", "example.co.uk", false),
    ("shop.example.co.uk/sale", "shop.example.co.uk/sale", "shop.example.co.uk", "example.co.uk", true),
    ("t.me/joinchat/x", "t.me/joinchat/x", "t.me", "t.me", true),
    ("discord.gg/abc", "discord.gg/abc", "discord.gg", "discord.gg", true),
    ("discord.gg", "discord.gg", "discord.gg", "discord.gg", false),
    ("bit.ly/3xYz,", "bit.ly/3xYz", "bit.ly", "bit.ly", true),
    ("youtu.be/dQw4", "youtu.be/dQw4", "youtu.be", "youtu.be", true),
    ("docs.rs/serde", "docs.rs/serde", "docs.rs", "docs.rs", true),
    ("me.github.io", "me.github.io", "me.github.io", "me.github.io", false),
    ("github.io/x", "github.io/x", "github.io", "github.io", true),
    ("foo.vercel.app", "foo.vercel.app", "foo.vercel.app", "foo.vercel.app", false),
    ("mapy.geoportal.gov.pl", "mapy.geoportal.gov.pl", "mapy.geoportal.gov.pl", "geoportal.gov.pl", false),
    ("docs.example.is", "docs.example.is", "docs.example.is", "example.is", false),
    ("example.xyz/win", "example.xyz/win", "example.xyz", "example.xyz", true),
    ("example.com:8080", "example.com:8080", "example.com", "example.com", false),
    ("x.com", "x.com", "x.com", "x.com", false),
    ("例子.中国", "例子.中国", "例子.中国", "例子.中国", false),
    ("пример.рф", "пример.рф", "пример.рф", "пример.рф", false),
    ("Yandex.RU", "Yandex.RU", "yandex.ru", "yandex.ru", false),
    ("münchen.de", "münchen.de", "münchen.de", "münchen.de", false),
    ("xn--mnchen-3ya.de/x", "xn--mnchen-3ya.de/x", "xn--mnchen-3ya.de", "xn--mnchen-3ya.de", true),
    ("evil。com", "evil。com", "evil.com", "evil.com", false),
    ("evil．com/x", "evil．com/x", "evil.com", "evil.com", true),
    ("ｅｖｉｌ．ｃｏｍ", "ｅｖｉｌ．ｃｏｍ", "evil.com", "evil.com", false),
    ("𝐞𝐯𝐢𝐥.𝐜𝐨𝐦", "𝐞𝐯𝐢𝐥.𝐜𝐨𝐦", "evil.com", "evil.com", false),
    ("ev\u{200b}il.com", "ev\u{200b}il.com", "evil.com", "evil.com", false),
    ("请看example.com谢谢", "example.com", "example.com", "example.com", false),
    ("请看https://example.com/a，谢谢", "https://example.com/a", "example.com", "example.com", true),
    ("wait...example.com...", "example.com", "example.com", "example.com", false),
    ("\"example.com\"", "example.com", "example.com", "example.com", false),
    ("[map](https://example.com/a)", "https://example.com/a", "example.com", "example.com", true),
    ("<https://example.com/a>", "https://example.com/a", "example.com", "example.com", true),
    ("- example.com -", "example.com", "example.com", "example.com", false),
    ("http:/evil.com/x", "evil.com/x", "evil.com", "evil.com", true),
    ("//evil.com/x", "evil.com/x", "evil.com", "evil.com", true),
];

#[test]
fn links_are_found_with_their_host_and_domain() {
    for (text, link, host, domain, sure) in LINKS {
        assert_eq!(found(text), [(*link, (*host).to_owned(), (*domain).to_owned(), *sure)], "{text}");
    }
}

const NAMES: &[&str] = &[
    "EPSG:4326",
    "layer.shp",
    "file.gpkg",
    "main.py",
    "v3.28.1",
    "qgis.core",
    "a.b.c",
    "1.5",
    "README.md",
    "script.sh",
    "lib.rs",
    "roads.geojson",
    "dem.tif",
    "dem.tif.aux.xml",
    "project.qgz",
    "style.qml",
    "legend.sld",
    "points.csv",
    "cloud.las",
    "cloud.laz",
    "track.gpx",
    "view.kml",
    "view.kmz",
    "tiles.mbtiles",
    "mosaic.vrt",
    "data.zip",
    "data.zip/roads.shp",
    "data.tar.gz",
    "main.cpp",
    "index.html",
    "a.js",
    "app.ts",
    "Makefile.in",
    "libgdal.so",
    "libgdal.so.32",
    "module.pl",
    "map.mov",
    "points.xyz",
    "data.nc",
    "era5.v2.nc",
    "data.tab",
    "metadata.xml",
    "QGIS.app",
    "QGIS.pro",
    "plugin.py:12",
    "src/main.rs:10:5",
    "docs/README.md",
    "/home/me/map.data.com",
    "C:\\data\\x.tif",
    "layer.id",
    "feature.name",
    "layer.properties.name",
    "self.data",
    "iface.mapCanvas()",
    "processing.run(\"x\")",
    "os.path.join(a)",
    "QgsProject.instance()",
    "layer.info()",
    "logger.info(x)",
    "df.at[1]",
    "canvas.show()",
    "np.ma",
    "geom.is",
    "urn:ogc:def:crs:EPSG::4326",
    "+proj=utm +zone=33",
    "10.5.3.2",
    "192.168.0.1",
    "3.40.1-Bratislava",
    "47.3769,8.5417",
    "1:25.000",
    "12.05.2024",
    "14.30",
    "fid.id",
    "e.g.",
    "i.e.",
    "z.B.",
    "d.h.",
    "u.a.",
    "p.m.",
    "...",
    "a..com",
    ".com",
    "com.",
    "_x.com",
    "my_host.example.com",
    "file:///home/me/x.tif",
    "co.uk",
    "x",
    "",
    ".",
    "://",
    "https://",
    "https://x",
    "https:// example",
    "http://localhost:8080",
    "style.min.css",
    "config.test.toml",
    "com.example.mobile",
    "weights.gal",
    "org.qgis.maps",
    "README.de.md",
];

#[test]
fn file_names_and_codes_are_not_links() {
    for text in NAMES {
        assert_none(text);
    }
}

#[test]
fn mail_addresses_are_not_links() {
    for text in [
        "joe@example.org",
        "first.last@example.org",
        "mailto:joe@example.org",
        "joe＠example.org",
        "a.b.c@mail.example.com, ok",
    ] {
        assert_none(text);
    }
}

#[test]
fn sentences_without_a_space_are_not_links() {
    for text in [
        "It works.Thanks a lot",
        "I did it.In QGIS it is slow",
        "yes.no",
        "go.to the layer",
        "that's it.is it?",
        "Look at me.Me too",
        "Ça marche.Merci",
        "C'est fini.La carte est là",
        "Nein.Es geht nicht",
        "Ja.Am Montag",
        "fertig.so geht das",
        "Das ist.Im Menü",
        "Vale.No funciona",
        "Listo.La capa",
        "Sí.Es así",
        "Fatto.Si vede",
        "Non va.Il layer",
        "ok.it works",
        "1.it 2.is",
        "Да.Нет",
        "Готово.Слой пуст",
        "Έτοιμο.Το επίπεδο",
        "好的。中国",
        "我在中国。你呢",
        "完成。com",
        "done.Com isso",
        "first.second",
        "ok.cool",
        "hello.world",
        "St.Gallen",
        "St.Moritz",
        "Mt.St.Helens",
        "Bad Homburg v.d.Höhe",
        "L.A.",
        "Ste.Anne",
        "Frankfurt a.M.",
        "Rothenburg o.d.T.",
        "Washington D.C.",
        "Sta.Cruz",
        "N.S.do Ó",
        "see fig.1a",
        "p.12",
        "Dr.No",
        "Prof.Dr.med.",
    ] {
        assert_none(text);
    }
}

#[test]
fn links_are_reported_in_order_up_to_64() {
    let hosts = |text: &str| found(text).into_iter().map(|(_, host, ..)| host).collect::<Vec<_>>();
    assert_eq!(
        hosts("a.example.com, b.example.com/x https://c.example.com"),
        ["a.example.com", "b.example.com", "c.example.com"]
    );
    assert_eq!(found(&"example.com ".repeat(99)).len(), 64);
}

#[test]
fn a_host_is_within_itself_and_its_parents() {
    for (host, domain, within) in [
        ("lists.qgis.org", "qgis.org", true),
        ("qgis.org", "qgis.org", true),
        ("QGIS.org", "qgis.ORG", true),
        ("qgis.org.", ".qgis.org", true),
        ("evilqgis.org", "qgis.org", false),
        ("qgis.org.evil.com", "qgis.org", false),
        ("org", "qgis.org", false),
        ("qgis.org", "", false),
        ("maps.Пример.рф", "пример.рф", true),
        ("éa.com", "a.com", false),
    ] {
        assert_eq!(is_within(host, domain), within, "{host} {domain}");
    }
}

proptest! {
    #[test]
    fn links_lie_on_character_boundaries_in_order(
        text in "\\PC{0,60}|(https?://|www\\.|[a-z]{1,3}|\\.|com|org|/|@|:|。|．|é|中|\u{200b}| |-|_|\\(|\\[){0,20}",
    ) {
        let mut last = 0;
        find_links(&text, |link| {
            assert!(link.bytes.start >= last && link.bytes.start < link.bytes.end, "{link:?}");
            assert!(text.get(link.bytes.clone()).is_some(), "{link:?}");
            assert!(link.host.ends_with(link.domain()) && !link.domain().is_empty(), "{link:?}");
            assert!(is_within(&link.host, link.domain()), "{link:?}");
            last = link.bytes.end;
        });
    }
}

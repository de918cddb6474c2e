//! The identifier of a coordinate system within its WKT.

/// Returns the authority and code by which the outermost node of a WKT text identifies itself.
///
/// Reads both `AUTHORITY["EPSG","2154"]` of WKT 1 and `ID["EPSG",2154]` of WKT 2, with brackets or parentheses.
/// Identifiers of inner nodes, as of a datum or a base system, are not those of the system. Of several, the first
/// counts. The text need not be complete: it is read up to the first identifier of the outermost node.
pub(super) fn identifier(wkt: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut rest = wkt;
    loop {
        let at = rest.find(['"', '[', '(', ']', ')'])?;
        let (before, from) = rest.split_at(at);
        let after = from.get(1..)?;
        rest = match from.as_bytes().first()? {
            // A quote within a text is written twice, so that it ends one text and begins another.
            b'"' => after.split_once('"')?.1,
            b'[' | b'(' => {
                let keyword = before.rsplit([',', '[', '(']).next().unwrap_or(before).trim();
                let identifies = keyword.eq_ignore_ascii_case("AUTHORITY") || keyword.eq_ignore_ascii_case("ID");
                if depth == 1 && identifies {
                    return authority_and_code(after);
                }
                depth += 1;
                after
            }
            _ => {
                depth = depth.checked_sub(1)?;
                after
            }
        };
    }
}

/// `"EPSG","2154"]`, `"EPSG",2154]`
fn authority_and_code(text: &str) -> Option<(&str, &str)> {
    let (authority, rest) = text.trim_start().strip_prefix('"')?.split_once('"')?;
    let rest = rest.trim_start().strip_prefix(',')?.trim_start();
    let code = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?.0,
        None => rest.get(..rest.find([',', ']', ')'])?)?.trim_end(),
    };
    Some((authority, code))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As QGIS 3.34 writes it, shortened.
    const LAMBERT_93: &str = r#"PROJCS["RGF93 v1 / Lambert-93",GEOGCS["RGF93 v1",DATUM["Reseau",SPHEROID["GRS 1980",6378137,298.257222101],AUTHORITY["EPSG","6171"]],AUTHORITY["EPSG","4171"]],PROJECTION["Lambert_Conformal_Conic_2SP"],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AUTHORITY["EPSG","2154"]]"#;

    #[test]
    fn the_outermost_node_of_wkt_1_identifies_the_system() {
        assert_eq!(identifier(LAMBERT_93), Some(("EPSG", "2154")));
    }

    #[test]
    fn the_outermost_node_of_wkt_2_identifies_the_system() {
        let wkt = r#"PROJCRS["WGS 84 / UTM zone 33N", BASEGEOGCRS["WGS 84",ID["EPSG",4326]],
            CONVERSION["UTM zone 33N",ID["EPSG",16033]], ID[ "EPSG" , 32633 , 9.8 ]]"#;
        assert_eq!(identifier(wkt), Some(("EPSG", "32633")));
        assert_eq!(identifier(r#"GEOGCRS("WGS 84",id("EPSG",4326))"#), Some(("EPSG", "4326")));
    }

    #[test]
    fn identifiers_of_inner_nodes_are_ignored() {
        let own = LAMBERT_93.replace(r#",AUTHORITY["EPSG","2154"]"#, "");
        assert_eq!(identifier(&own), None);
        let bound = r#"BOUNDCRS[SOURCECRS[GEOGCRS["a",ID["EPSG",4326]]],TARGETCRS[GEOGCRS["b",ID["EPSG",4326]]]]"#;
        assert_eq!(identifier(bound), None);
    }

    #[test]
    fn brackets_and_identifiers_within_a_name_are_ignored() {
        let wkt = r#"GEOGCS["a ""[AUTHORITY[""EPSG"",""1""]] b",DATUM["]]]"],AUTHORITY["EPSG","4326"]]"#;
        assert_eq!(identifier(wkt), Some(("EPSG", "4326")));
    }

    #[test]
    fn other_texts_have_no_identifier() {
        for wkt in [
            "",
            "TODO",
            "EPSG:4326",
            "[",
            "]",
            "\"",
            r#"AUTHORITY["EPSG","4326"]"#,
            r#"a["b",AUTHORITY["EPSG"]]"#,
            r#"a["b",AUTHORITY["EPSG","#,
            r#"a["b",AUTHORITY["EPSG","43"#,
            r#"a["b",ID["EPSG",43"#,
            r#"a["b",ID[EPSG,1]]"#,
            "é[\"ü\",ID[\"ß",
            "a]]ID[\"EPSG\",4326]",
        ] {
            assert_eq!(identifier(wkt), None, "{wkt}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(wkt in r#"[A-DIÉ"\[\](), 0-9]{0,60}"#) {
            let _ = identifier(&wkt);
        }

        #[test]
        fn a_text_without_its_end_has_no_identifier(length in 0..LAMBERT_93.len() - 2) {
            prop_assert_eq!(identifier(&LAMBERT_93[..length]), None);
        }
    }
}

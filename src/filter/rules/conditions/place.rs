//! Places: whether a position, an extent or a layer is within an area, and rounding.

use std::path::{Path, PathBuf};

use crate::filter::rules::files;
use crate::model::{Content, Crs, Extent, Outcome, Position};
use crate::places::{Area, Length, Rectangle, Relation, Shape, System};
use crate::settings::Located;

/// The condition on a place, as in the file.
#[derive(Clone, Debug)]
pub(in crate::filter::rules) struct PlaceEntry {
    pub(in crate::filter::rules) side: PlaceSide,
    /// The name of a GeoJSON file.
    pub(in crate::filter::rules) file: Located<String>,
}

/// On which side of the area a place must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::filter::rules) enum PlaceSide {
    /// Some of it is within the area.
    Within,
    /// Some of it is outside.
    Outside,
}

impl PlaceSide {
    /// The key of the condition.
    pub(in crate::filter::rules) fn key(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Outside => "outside",
        }
    }
}

/// The area of a condition on a place.
#[derive(Debug)]
pub(in crate::filter::rules) struct SidedArea {
    side: PlaceSide,
    area: Area,
}

/// The condition of a rule on places, and the rounding. It has an area, a distance to round to, or both.
#[derive(Debug)]
pub(in crate::filter::rules) struct PlaceCondition {
    /// Without it, all places match.
    pub(in crate::filter::rules) area: Option<SidedArea>,
    /// The distance to which places that match are rounded.
    pub(in crate::filter::rules) round_to: Option<Length>,
    /// The outcome for a place that cannot be computed; `None` if the rule does not hit it.
    pub(in crate::filter::rules) unknown: Option<Outcome>,
}

/// The result of checking the place of a content.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::filter::rules) enum PlaceMatch {
    /// The rule does not hit.
    No,
    /// It hits. With the rounded content, if the rule rounds.
    Yes(Option<Content>),
    /// It hits because the place cannot be computed, with this outcome.
    Unknown(Outcome),
}

/// Why an area file cannot be used.
#[derive(Debug)]
pub(in crate::filter::rules) enum AreaFileError {
    /// The file cannot be found or read, in words that follow its name.
    File(String),
    /// Its contents are no area.
    Area(PathBuf, crate::places::AreaError),
}

impl SidedArea {
    /// Reads the area. Also returns the text of the file.
    pub(in crate::filter::rules) fn load(entry: &PlaceEntry, base: &Path) -> Result<(Self, String), AreaFileError> {
        let path = files::locate(base, &entry.file.value).map_err(AreaFileError::File)?;
        let text = files::read_text(&path).map_err(AreaFileError::File)?;
        let area = Area::from_geojson(&text).map_err(|error| AreaFileError::Area(path, error))?;
        Ok((Self { side: entry.side, area }, text))
    }

    /// Whether the content matches; `None` if its place cannot be computed.
    fn matches(&self, content: &Content, system: &System) -> Option<bool> {
        let shape = match content {
            Content::Position(position) => Shape::Position { system, x: position.x, y: position.y },
            Content::Bbox(bounds) => {
                let Extent { crs: _, xmin, xmax, ymin, ymax } = *bounds;
                Shape::Extent { system, extent: Rectangle { xmin, xmax, ymin, ymax } }
            }
            Content::GeoJson(layer) => Shape::Layer { system, geojson: &layer.geojson },
            Content::Image(_) | Content::Crs(_) | Content::Model(_) | Content::Script(_) => return Some(false),
        };
        Some(match (self.area.relation(&shape).ok()?, self.side) {
            (Relation::Crosses, _) => true,
            (relation, PlaceSide::Within) => relation == Relation::Inside,
            (relation, PlaceSide::Outside) => relation == Relation::Outside,
        })
    }
}

impl PlaceCondition {
    pub(in crate::filter::rules) fn has_area(&self) -> bool {
        self.area.is_some()
    }

    /// Compares the place of a content with the area, and rounds it.
    ///
    /// Takes microseconds for positions and extents, and a microsecond per position of a layer.
    pub(in crate::filter::rules) fn check(&self, content: &Content) -> PlaceMatch {
        match content {
            Content::Position(_) | Content::Bbox(_) | Content::GeoJson(_) => {}
            Content::Image(_) | Content::Crs(_) | Content::Model(_) | Content::Script(_) => return PlaceMatch::No,
        }
        let unknown = || self.unknown.map_or(PlaceMatch::No, PlaceMatch::Unknown);
        let Some(system) = content.crs().and_then(resolve) else { return unknown() };
        match self.area.as_ref().map(|area| area.matches(content, &system)) {
            Some(None) => return unknown(),
            Some(Some(false)) => return PlaceMatch::No,
            Some(Some(true)) | None => {}
        }
        let Some(cell) = self.round_to else { return PlaceMatch::Yes(None) };
        rounded(content, &system, cell).map_or_else(unknown, |content| PlaceMatch::Yes(Some(content)))
    }
}

/// Rounds a position, or both corners of an extent. `None` if they cannot be computed, and for contents of another kind.
fn rounded(content: &Content, system: &System, cell: Length) -> Option<Content> {
    Some(match content {
        Content::Position(Position { crs, x, y }) => {
            let (x, y) = system.round(*x, *y, cell)?;
            Content::Position(Position { crs: crs.clone(), x, y })
        }
        Content::Bbox(Extent { crs, xmin, xmax, ymin, ymax }) => {
            let ((xmin, ymin), (xmax, ymax)) = (system.round(*xmin, *ymin, cell)?, system.round(*xmax, *ymax, cell)?);
            Content::Bbox(Extent { crs: crs.clone(), xmin, xmax, ymin, ymax })
        }
        Content::Image(_) | Content::GeoJson(_) | Content::Crs(_) | Content::Model(_) | Content::Script(_) => {
            return None;
        }
    })
}

/// Returns the coordinate system of a content. `None` if it cannot be computed, or if its two descriptions contradict each
/// other: clients read one or the other.
fn resolve(crs: &Crs) -> Option<System> {
    match (System::resolve(&crs.authid, ""), System::resolve("", &crs.wkt)) {
        (Some(by_id), Some(by_wkt)) => (by_id.name() == by_wkt.name()).then_some(by_id),
        (by_id, by_wkt) => by_id.or(by_wkt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Layer;

    const LYON: &str = r#"{"type":"Polygon","coordinates":[[[4.7,45.6],[5.0,45.6],[5.0,45.9],[4.7,45.9],[4.7,45.6]]]}"#;

    fn condition(side: PlaceSide, unknown: Option<Outcome>) -> PlaceCondition {
        let area = Some(SidedArea { side, area: Area::from_geojson(LYON).unwrap() });
        PlaceCondition { area, round_to: None, unknown }
    }

    fn within() -> PlaceCondition {
        condition(PlaceSide::Within, Some(Outcome::Hold))
    }

    fn crs(authid: &str, wkt: &str) -> Crs {
        Crs { wkt: wkt.to_owned(), authid: authid.to_owned() }
    }

    fn position(authid: &str, wkt: &str, x: f64, y: f64) -> Content {
        Content::Position(Position { crs: crs(authid, wkt), x, y })
    }

    #[test]
    fn a_position_is_compared_in_its_own_coordinate_system() {
        assert_eq!(within().check(&position("EPSG:4326", "", 4.83, 45.76)), PlaceMatch::Yes(None));
        assert_eq!(within().check(&position("EPSG:2154", "", 842_700.0, 6_519_200.0)), PlaceMatch::Yes(None));
        assert_eq!(within().check(&position("EPSG:4326", "", 2.35, 48.85)), PlaceMatch::No);
        let outside = condition(PlaceSide::Outside, None);
        assert_eq!(outside.check(&position("EPSG:4326", "", 2.35, 48.85)), PlaceMatch::Yes(None));
    }

    #[test]
    fn an_unknown_coordinate_system_has_the_outcome_of_the_rule() {
        for content in [position("", "TODO", 4.8, 45.7), position("USER:100000", "", 4.8, 45.7)] {
            assert_eq!(within().check(&content), PlaceMatch::Unknown(Outcome::Hold));
            assert_eq!(condition(PlaceSide::Within, None).check(&content), PlaceMatch::No);
        }
    }

    #[test]
    fn contradicting_descriptions_of_a_coordinate_system_are_unknown() {
        let wkt = r#"PROJCRS["Lambert-93",ID["EPSG",2154]]"#;
        assert_eq!(within().check(&position("EPSG:4326", wkt, 4.83, 45.76)), PlaceMatch::Unknown(Outcome::Hold));
        assert_eq!(within().check(&position("EPSG:2154", wkt, 842_700.0, 6_519_200.0)), PlaceMatch::Yes(None));
    }

    #[test]
    fn a_part_of_a_layer_or_an_extent_is_enough() {
        let layer = |coordinates: &str| {
            Content::GeoJson(Layer {
                name: "stops".to_owned(),
                crs: crs("EPSG:4326", ""),
                geojson: format!(
                    r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":null,"geometry":{{"type":"MultiPoint","coordinates":{coordinates}}}}}]}}"#
                ),
                features: 1,
                bounds: None,
                style: None,
            })
        };
        let outside = condition(PlaceSide::Outside, None);
        for (coordinates, is_within, is_outside) in
            [("[[4.8,45.7],[2.3,48.8]]", true, true), ("[[4.8,45.7]]", true, false), ("[[2.3,48.8]]", false, true)]
        {
            assert_eq!(within().check(&layer(coordinates)) == PlaceMatch::Yes(None), is_within, "{coordinates}");
            assert_eq!(outside.check(&layer(coordinates)) == PlaceMatch::Yes(None), is_outside, "{coordinates}");
        }
        let extent = Extent { crs: crs("EPSG:4326", ""), xmin: 4.9, xmax: 6.0, ymin: 46.0, ymax: 45.0 };
        assert_eq!(within().check(&Content::Bbox(extent.clone())), PlaceMatch::Yes(None));
        assert_eq!(outside.check(&Content::Bbox(extent)), PlaceMatch::Yes(None));
    }

    fn rounding(area: Option<SidedArea>) -> PlaceCondition {
        PlaceCondition { area, round_to: "1km".parse().ok(), unknown: Some(Outcome::Hold) }
    }

    #[test]
    fn a_position_is_rounded_in_its_own_coordinate_system() {
        for (authid, x, y) in [("EPSG:4326", 4.83, 45.76), ("EPSG:2154", 842_700.0, 6_519_200.0)] {
            let PlaceMatch::Yes(Some(Content::Position(rounded))) = rounding(None).check(&position(authid, "", x, y))
            else {
                panic!("not rounded")
            };
            let per_unit = if authid == "EPSG:4326" { 111_000.0 } else { 1.0 };
            let moved = (rounded.x - x).hypot(rounded.y - y) * per_unit;
            assert!(moved > 1.0 && moved < 1_100.0, "{rounded:?}");
            assert_eq!(rounded.crs.authid, authid);
        }
    }

    #[test]
    fn both_corners_of_an_extent_are_rounded() {
        let extent = |xmin: f64, xmax: f64| {
            Content::Bbox(Extent { crs: crs("EPSG:4326", ""), xmin, xmax, ymin: 45.001, ymax: 46.001 })
        };
        assert_eq!(rounding(None).check(&extent(4.801, 5.301)), rounding(None).check(&extent(4.802, 5.302)));
    }

    #[test]
    fn only_places_on_the_side_of_the_area_are_rounded() {
        let within = rounding(condition(PlaceSide::Within, None).area);
        assert_eq!(within.check(&position("EPSG:4326", "", 2.35, 48.85)), PlaceMatch::No);
        assert!(matches!(within.check(&position("EPSG:4326", "", 4.83, 45.76)), PlaceMatch::Yes(Some(_))));
    }

    #[test]
    fn a_place_that_cannot_be_rounded_is_unknown() {
        for unknown in [position("", "TODO", 4.8, 45.7), position("EPSG:4326", "", 1e300, 1e300)] {
            assert_eq!(rounding(None).check(&unknown), PlaceMatch::Unknown(Outcome::Hold), "{unknown:?}");
        }
    }
}

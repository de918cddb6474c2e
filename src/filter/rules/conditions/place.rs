//! Places: whether a position, an extent or a layer is within an area.

use std::path::{Path, PathBuf};

use crate::filter::rules::files;
use crate::model::{Content, Crs, Outcome};
use crate::places::{Area, Rectangle, Relation, Shape, System};
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

/// A compiled condition on a place.
#[derive(Debug)]
pub(in crate::filter::rules) struct PlaceCondition {
    side: PlaceSide,
    area: Area,
    /// The outcome for a place that cannot be computed; `None` if the rule does not hit it.
    unknown: Option<Outcome>,
}

/// The result of comparing a content with an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::filter::rules) enum PlaceMatch {
    /// The rule does not hit.
    No,
    /// It hits.
    Yes,
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

impl PlaceCondition {
    /// Reads the area. Returns the condition and the text of the file.
    pub(in crate::filter::rules) fn load(
        entry: &PlaceEntry,
        base: &Path,
        unknown: Option<Outcome>,
    ) -> Result<(Self, String), AreaFileError> {
        let path = files::locate(base, &entry.file.value).map_err(AreaFileError::File)?;
        let text = files::read_text(&path).map_err(AreaFileError::File)?;
        let area = Area::from_geojson(&text).map_err(|error| AreaFileError::Area(path, error))?;
        Ok((Self { side: entry.side, area, unknown }, text))
    }

    /// Compares a content with the area.
    ///
    /// Takes microseconds for positions and extents, and a microsecond per position of a layer.
    pub(in crate::filter::rules) fn compare(&self, content: &Content) -> PlaceMatch {
        let unknown = || self.unknown.map_or(PlaceMatch::No, PlaceMatch::Unknown);
        let crs = match content {
            Content::Position(position) => &position.crs,
            Content::Bbox(extent) => &extent.crs,
            Content::GeoJson(layer) => &layer.crs,
            Content::Image(_) | Content::Crs(_) | Content::Model(_) | Content::Script(_) => return PlaceMatch::No,
        };
        let Some(system) = resolve(crs) else { return unknown() };
        let system = &system;
        let shape = match content {
            Content::Position(position) => Shape::Position { system, x: position.x, y: position.y },
            Content::Bbox(bounds) => {
                let crate::model::Extent { crs: _, xmin, xmax, ymin, ymax } = *bounds;
                Shape::Extent { system, extent: Rectangle { xmin, xmax, ymin, ymax } }
            }
            Content::GeoJson(layer) => Shape::Layer { system, geojson: &layer.geojson },
            Content::Image(_) | Content::Crs(_) | Content::Model(_) | Content::Script(_) => return PlaceMatch::No,
        };
        let holds = match (self.area.relation(&shape), self.side) {
            (Err(_), _) => return unknown(),
            (Ok(Relation::Crosses), _) => true,
            (Ok(relation), PlaceSide::Within) => relation == Relation::Inside,
            (Ok(relation), PlaceSide::Outside) => relation == Relation::Outside,
        };
        if holds { PlaceMatch::Yes } else { PlaceMatch::No }
    }
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
    use crate::model::{Layer, Position};

    const LYON: &str = r#"{"type":"Polygon","coordinates":[[[4.7,45.6],[5.0,45.6],[5.0,45.9],[4.7,45.9],[4.7,45.6]]]}"#;

    fn condition(side: PlaceSide, unknown: Option<Outcome>) -> PlaceCondition {
        PlaceCondition { side, area: Area::from_geojson(LYON).unwrap(), unknown }
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
        assert_eq!(within().compare(&position("EPSG:4326", "", 4.83, 45.76)), PlaceMatch::Yes);
        assert_eq!(within().compare(&position("EPSG:2154", "", 842_700.0, 6_519_200.0)), PlaceMatch::Yes);
        assert_eq!(within().compare(&position("EPSG:4326", "", 2.35, 48.85)), PlaceMatch::No);
        let outside = condition(PlaceSide::Outside, None);
        assert_eq!(outside.compare(&position("EPSG:4326", "", 2.35, 48.85)), PlaceMatch::Yes);
    }

    #[test]
    fn an_unknown_coordinate_system_has_the_outcome_of_the_rule() {
        for content in [position("", "TODO", 4.8, 45.7), position("USER:100000", "", 4.8, 45.7)] {
            assert_eq!(within().compare(&content), PlaceMatch::Unknown(Outcome::Hold));
            assert_eq!(condition(PlaceSide::Within, None).compare(&content), PlaceMatch::No);
        }
    }

    #[test]
    fn contradicting_descriptions_of_a_coordinate_system_are_unknown() {
        let wkt = r#"PROJCRS["Lambert-93",ID["EPSG",2154]]"#;
        assert_eq!(within().compare(&position("EPSG:4326", wkt, 4.83, 45.76)), PlaceMatch::Unknown(Outcome::Hold));
        assert_eq!(within().compare(&position("EPSG:2154", wkt, 842_700.0, 6_519_200.0)), PlaceMatch::Yes);
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
                style: None,
            })
        };
        let outside = condition(PlaceSide::Outside, None);
        for (coordinates, is_within, is_outside) in
            [("[[4.8,45.7],[2.3,48.8]]", true, true), ("[[4.8,45.7]]", true, false), ("[[2.3,48.8]]", false, true)]
        {
            assert_eq!(within().compare(&layer(coordinates)) == PlaceMatch::Yes, is_within, "{coordinates}");
            assert_eq!(outside.compare(&layer(coordinates)) == PlaceMatch::Yes, is_outside, "{coordinates}");
        }
        let extent = crate::model::Extent { crs: crs("EPSG:4326", ""), xmin: 4.9, xmax: 6.0, ymin: 46.0, ymax: 45.0 };
        assert_eq!(within().compare(&Content::Bbox(extent.clone())), PlaceMatch::Yes);
        assert_eq!(outside.compare(&Content::Bbox(extent)), PlaceMatch::Yes);
    }
}

//! Reads the strings of a GeoJSON object.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The strings to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LayerStrings {
    /// All keys and values.
    All,
    /// Keys and values in the properties of features.
    Properties,
}

/// Returns the strings of a GeoJSON object, a line each. Numbers are left out.
///
/// The object was checked when it arrived. Of any other text, only the part that can be read counts.
pub(super) fn strings_of(geojson: &str, which: LayerStrings) -> String {
    let mut found = String::new();
    let place = if which == LayerStrings::All { Place::Wanted } else { Place::Root };
    let mut reader = serde_json::Deserializer::from_str(geojson);
    // Nothing remains to be said about an error: what was read is found.
    drop(Value { found: &mut found, place }.deserialize(&mut reader));
    found
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// The array of features.
    Features,
    Feature,
    /// All strings here are wanted.
    Wanted,
}

impl Place {
    /// Returns the place of the value at `key` of an object; `None` if no string in it is wanted.
    fn at(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::Wanted, _) | (Self::Feature, "properties") => Some(Self::Wanted),
            (Self::Root, "features") => Some(Self::Features),
            _ => None,
        }
    }
}

struct Value<'f> {
    found: &'f mut String,
    place: Place,
}

impl Value<'_> {
    fn take(&mut self, text: &str) {
        if self.place == Place::Wanted {
            self.found.push_str(text);
            self.found.push('\n');
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeoJSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        self.take(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let place = if self.place == Place::Features { Place::Feature } else { self.place };
        while items.next_element_seed(Value { found: self.found, place })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key_seed(Key { value: &mut self })? {
            match key {
                Some(place) => entries.next_value_seed(Value { found: self.found, place })?,
                None => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Reads a key, without a copy of it, and returns the place of its value.
struct Key<'v, 'f> {
    value: &'v mut Value<'f>,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = Option<Place>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Place>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = Option<Place>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<Place>, E> {
        self.value.take(key);
        Ok(self.value.place.at(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYER: &str = r#"{"type":"FeatureCollection","name":"x","features":[
        {"type":"Feature","properties":{"stop":"Op\u00e9ra","n":7,"more":{"a":["b"]}},"geometry":{"type":"Point"}},
        {"type":"Feature","properties":null,"geometry":null}],"properties":{"not":"these"}}"#;

    #[test]
    fn properties_of_features_are_read_with_their_names() {
        assert_eq!(strings_of(LAYER, LayerStrings::Properties), "stop\nOpéra\nn\nmore\na\nb\n");
    }

    #[test]
    fn all_strings_are_read() {
        let all = strings_of(LAYER, LayerStrings::All);
        for string in ["FeatureCollection\n", "Opéra\n", "Point\n", "these\n"] {
            assert!(all.contains(string), "{all}");
        }
    }

    #[test]
    fn what_precedes_an_error_counts() {
        let cut = r#"{"features":[{"properties":{"a":"b"}},{"properties":[7"#;
        assert_eq!(strings_of(cut, LayerStrings::Properties), "a\nb\n");
    }
}

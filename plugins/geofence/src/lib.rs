//! Refuses places within areas, or outside of them.
//!
//! Checks positions, extents and layers in WGS84 degrees (EPSG:4326, OGC:CRS84) and in Web Mercator (EPSG:3857,
//! EPSG:900913). A part of a shape is enough: a line that crosses an area counts, and so does a polygon around it.
//! Borders belong to the areas. Lines are straight in the coordinate system of the message, and the borders of areas
//! are straight in degrees. A place that cannot be checked, as its coordinate system is another one or its layer has too
//! many points, is held for a moderator unless `unknown_crs` says otherwise.
//!
//! Lines are taken literally: one from 179 to -179 degrees goes around the Earth, and one from 179 to 181 goes across
//! the antimeridian.

mod coordinates;
mod geojson;
mod geometry;
mod index;
mod judge;
mod path;
mod region;
mod settings;
mod system;
mod unchecked;

use gischat_filter::{Filter, Message, Sender, Verdict, export};

use judge::{Hit, judge};
pub use settings::Settings;
use settings::{OnHit, OnUnchecked, Policy};
use unchecked::Unchecked;

/// The filter.
#[derive(Debug)]
pub struct Geofence {
    policy: Policy,
}

impl Filter for Geofence {
    type Settings = Settings;

    const KINDS: &'static [&'static str] = &["position", "bbox", "geojson"];
    const PAYLOAD: bool = true;

    /// Without areas, every place passes.
    fn needs_payload(&self) -> bool {
        self.policy.fence.is_some()
    }

    fn configure(settings: Settings) -> Result<Self, String> {
        Ok(Self { policy: Policy::new(settings)? })
    }

    fn check(&mut self, message: &Message, _: &Sender) -> Verdict {
        let Some(fence) = &self.policy.fence else { return Verdict::pass() };
        match judge(fence, &message.kind, message.payload.as_deref().unwrap_or_default()) {
            Ok(None) => Verdict::pass(),
            Ok(Some(hit)) => self.on_hit(hit),
            Err(unchecked) => self.on_unchecked(unchecked),
        }
    }
}

impl Geofence {
    fn on_hit(&self, hit: Hit<'_>) -> Verdict {
        let verdict = match self.policy.on_hit {
            OnHit::Reject => Verdict::reject(&self.policy.reason),
            OnHit::Hold => Verdict::hold().reason(&self.policy.reason),
            OnHit::Label => Verdict::pass(),
        };
        let verdict = verdict.label("geofence");
        match hit.area {
            Some(name) => verdict.label(name),
            None => verdict,
        }
    }

    fn on_unchecked(&self, unchecked: Unchecked) -> Verdict {
        let verdict = match self.policy.on_unchecked {
            OnUnchecked::Hold => Verdict::hold().reason(unchecked.reason()),
            OnUnchecked::Reject => Verdict::reject(unchecked.reason()),
            OnUnchecked::Pass => Verdict::pass(),
        };
        verdict.label("geofence-unchecked")
    }
}

export!(Geofence);

#[cfg(test)]
mod tests;

//! Finds segments by their latitude.

use crate::geometry::{Bounds, Point, Segment, TOLERANCE, is_inside};
use crate::unchecked::{Unchecked, Work};

/// Most bands of an index.
const MAX_BANDS: usize = 1_024;
/// About how many segments a band has, and in about how many bands a segment is on average, at most.
const PER_BAND: f64 = 4.0;

/// Segments, and in which bands of latitude each of them is.
#[derive(Debug)]
pub(crate) struct Index {
    segments: Vec<Segment>,
    bounds: Bounds,
    /// The height of a band.
    height: f64,
    /// The numbers of the segments in each band, from south to north.
    bands: Vec<Vec<usize>>,
}

impl Index {
    pub(crate) fn new(segments: Vec<Segment>) -> Self {
        let (mut bounds, mut climbed) = (Bounds::EMPTY, 0.0);
        for segment in &segments {
            bounds.add(segment.start);
            bounds.add(segment.end);
            climbed += segment.direction().lat.abs();
        }
        let height = bounds.north - bounds.south;
        let bands = band_count(segments.len(), climbed / height);
        #[expect(clippy::cast_precision_loss, reason = "at most MAX_BANDS")]
        let height = if bands > 1 { height / bands as f64 } else { f64::INFINITY };
        let mut index = Self { segments, bounds, height, bands: vec![Vec::new(); bands] };
        for (at, segment) in index.segments.iter().enumerate() {
            let Bounds { south, north, .. } = *segment.bounds();
            let range = index.band(south - TOLERANCE)..=index.band(north + TOLERANCE);
            index.bands.get_mut(range).into_iter().flatten().for_each(|band| band.push(at));
        }
        index
    }

    pub(crate) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether a point is on a segment, within the tolerance, or inside of the rings that the segments are.
    pub(crate) fn holds(&self, point: Point, work: &mut Work) -> Result<bool, Unchecked> {
        let is_on_border = self.near(&Bounds::at(point), work)?.any(|segment| segment.holds(point));
        Ok(is_on_border || self.has_inside(point, work)?)
    }

    /// Whether a point is inside of the rings that the segments are.
    pub(crate) fn has_inside(&self, point: Point, work: &mut Work) -> Result<bool, Unchecked> {
        Ok(is_inside(point, self.near(&Bounds::at(point), work)?.copied()))
    }

    /// All segments at the latitudes of a box, and others. Those that are in several of its bands come several times.
    pub(crate) fn near(&self, bounds: &Bounds, work: &mut Work) -> Result<impl Iterator<Item = &Segment>, Unchecked> {
        let bands = self.bands.get(self.band(bounds.south)..=self.band(bounds.north)).unwrap_or_default();
        work.count(bands.iter().map(|band| band.len() + 1).sum())?;
        Ok(bands.iter().flatten().filter_map(|at| self.segments.get(*at)))
    }

    /// The number of the band of a latitude.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the nearest number is right")]
    fn band(&self, lat: f64) -> usize {
        (((lat - self.bounds.south) / self.height) as usize).min(self.bands.len().saturating_sub(1))
    }
}

/// How many bands an index of `count` segments has, if a latitude is within `climbs` of them on average.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the nearest number is right"
)]
fn band_count(count: usize, climbs: f64) -> usize {
    let max = count as f64 * PER_BAND / climbs;
    (count / PER_BAND as usize).min(max as usize).clamp(1, MAX_BANDS)
}

//! Judges the place of a message.

use std::borrow::Cow;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::coordinates::Coordinates;
use crate::geojson::{Form, for_each_geometry};
use crate::geometry::Point;
use crate::path::Path;
use crate::region::{Area, Region, Shape};
use crate::system::System;
use crate::unchecked::{Unchecked, Work};

/// The work of reading and converting a position.
const POSITION_WORK: usize = 20;

/// Where places are refused.
#[derive(Debug)]
pub(crate) enum Fence {
    /// Within any of the areas, even partly.
    Within(Vec<Area>),
    /// Outside of the areas, even partly.
    Outside(Region),
}

/// A refused place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit<'f> {
    /// The name of the area that it touches; `None` if it is outside of all.
    pub(crate) area: Option<&'f str>,
}

/// The keys of the protocol that matter here.
#[derive(Deserialize)]
struct Payload<'p> {
    #[serde(borrow, default)]
    crs_wkt: Cow<'p, str>,
    #[serde(borrow, default)]
    crs_authid: Cow<'p, str>,
    x: Option<f64>,
    y: Option<f64>,
    xmin: Option<f64>,
    xmax: Option<f64>,
    ymin: Option<f64>,
    ymax: Option<f64>,
    #[serde(borrow)]
    geojson: Option<&'p RawValue>,
}

/// Returns why the place of a message is refused, if it is. `payload` is the message as JSON.
///
/// # Errors
/// If the place cannot be checked and what could be checked of it is not refused.
pub(crate) fn judge<'f>(fence: &'f Fence, kind: &str, payload: &str) -> Result<Option<Hit<'f>>, Unchecked> {
    let payload: Payload<'_> = serde_json::from_str(payload).map_err(|_| Unchecked::Malformed)?;
    let system = System::resolve(&payload.crs_authid, &payload.crs_wkt)?;
    let mut judge = Judge { fence, system, work: Work::new(), path: Path::default(), is_on_earth: true };
    let Payload { x, y, xmin, xmax, ymin, ymax, geojson, .. } = payload;
    match (kind, x.zip(y), xmin.zip(xmax).zip(ymin.zip(ymax)), geojson) {
        ("position", Some((x, y)), _, _) => {
            let point = system.to_degrees(x, y).ok_or(Unchecked::Coordinates)?;
            judge.shape(Shape::Point(point))
        }
        ("bbox", _, Some(((xmin, xmax), (ymin, ymax))), _) => {
            let bounds = system.bounds([xmin, xmax], [ymin, ymax]).ok_or(Unchecked::Coordinates)?;
            let ring = Path::around(bounds);
            judge.shape(Shape::Polygon(&ring))
        }
        ("geojson", _, _, Some(geojson)) => judge.layer(geojson.get()),
        _ => Err(Unchecked::Malformed),
    }
}

/// The judgement of one message.
struct Judge<'f> {
    fence: &'f Fence,
    system: System,
    work: Work,
    /// Kept for its memory.
    path: Path,
    /// Whether all positions so far were on Earth. Others are skipped, so that they hide nothing.
    is_on_earth: bool,
}

type Judgement<'f> = Result<Option<Hit<'f>>, Unchecked>;

impl<'f> Judge<'f> {
    fn shape(&mut self, shape: Shape<'_>) -> Judgement<'f> {
        match self.fence {
            Fence::Within(areas) => {
                for area in areas {
                    if area.is_touched(shape, &mut self.work)? {
                        return Ok(Some(Hit { area: Some(&area.name) }));
                    }
                }
                Ok(None)
            }
            Fence::Outside(region) => {
                let is_outside = !region.includes(shape, &mut self.work)?;
                Ok(is_outside.then_some(Hit { area: None }))
            }
        }
    }

    fn layer(&mut self, geojson: &str) -> Judgement<'f> {
        let mut judgement = Ok(None);
        let read = for_each_geometry(geojson, |form, coordinates| {
            judgement = self.geometry(form, coordinates);
            if judgement == Ok(None) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        read?;
        if judgement == Ok(None) && !self.is_on_earth { Err(Unchecked::Coordinates) } else { judgement }
    }

    fn geometry(&mut self, form: Form, coordinates: &Coordinates) -> Judgement<'f> {
        match form {
            Form::Points => {
                for position in coordinates.positions() {
                    let Some(point) = self.point(*position)? else { continue };
                    if let hit @ Some(_) = self.shape(Shape::Point(point))? {
                        return Ok(hit);
                    }
                }
                Ok(None)
            }
            Form::Lines => self.path(coordinates.lines(), false),
            Form::Polygons => {
                for rings in coordinates.polygons() {
                    if let hit @ Some(_) = self.path(rings, true)? {
                        return Ok(hit);
                    }
                }
                Ok(None)
            }
        }
    }

    fn path<'c>(&mut self, parts: impl Iterator<Item = &'c [[f64; 2]]>, is_polygon: bool) -> Judgement<'f> {
        let mut path = std::mem::take(&mut self.path);
        path.clear();
        for part in parts {
            // Rings should end with their first position, and are closed if they do not.
            let end = part.first().filter(|first| is_polygon && part.last() != Some(*first));
            let mut from = None;
            for position in part.iter().chain(end) {
                if let Some(from) = from {
                    for cut in self.system.cuts(from, *position) {
                        self.point(cut)?.into_iter().for_each(|point| path.add(point));
                    }
                }
                self.point(*position)?.into_iter().for_each(|point| path.add(point));
                from = Some(*position);
            }
            path.end_part();
        }
        let judgement = self.shape(if is_polygon { Shape::Polygon(&path) } else { Shape::Lines(&path) });
        self.path = path;
        judgement
    }

    /// `None` if the position is not on Earth.
    fn point(&mut self, [x, y]: [f64; 2]) -> Result<Option<Point>, Unchecked> {
        self.work.count(POSITION_WORK)?;
        let point = self.system.to_degrees(x, y);
        self.is_on_earth &= point.is_some();
        Ok(point)
    }
}

//! Areas: whether shapes touch them, and whether areas together include shapes.

use crate::geometry::{Bounds, Point, Segment, is_inside};
use crate::index::Index;
use crate::path::Path;
use crate::unchecked::{Unchecked, Work};

/// The distance from a border of the points that show what is beside it: 1 cm. Degrees.
const BESIDE: f64 = 1e-7;
/// The work of adding a segment to an index.
const INDEX_WORK: usize = 5;

/// A polygon without holes. Its border belongs to it.
#[derive(Debug)]
pub(crate) struct Area {
    pub(crate) name: String,
    border: Index,
}

/// A shape in degrees.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape<'p> {
    Point(Point),
    Lines(&'p Path),
    /// The rings of one polygon, by the even-odd rule.
    Polygon(&'p Path),
}

impl Area {
    /// An area within a ring, which may but need not end with its first point.
    pub(crate) fn new(name: String, ring: &[Point]) -> Self {
        let nexts = ring.iter().cycle().skip(1);
        let border = ring.iter().zip(nexts).map(|(start, end)| Segment::new(*start, *end));
        Self { name, border: Index::new(border.filter(|edge| edge.start != edge.end).collect()) }
    }

    /// Whether a part of a shape is within the area.
    pub(crate) fn is_touched(&self, shape: Shape<'_>, work: &mut Work) -> Result<bool, Unchecked> {
        match shape {
            Shape::Point(point) => self.holds(point, work),
            Shape::Lines(path) => self.is_touched_by_lines(path, work),
            Shape::Polygon(path) => Ok(self.is_touched_by_lines(path, work)? || self.is_surrounded(path, work)?),
        }
    }

    fn holds(&self, point: Point, work: &mut Work) -> Result<bool, Unchecked> {
        work.count(1)?;
        for turn in self.border.bounds().turns_of(&Bounds::at(point)) {
            if self.border.holds(point.turned(turn), work)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_touched_by_lines(&self, path: &Path, work: &mut Work) -> Result<bool, Unchecked> {
        let bounds = self.border.bounds();
        work.count(1)?;
        for turn in bounds.turns_of(path.bounds()) {
            work.count(path.points().len())?;
            // A line that does not meet the border is within the area as a whole, or not at all.
            for start in path.parts().filter_map(<[Point]>::first) {
                if self.holds(*start, work)? {
                    return Ok(true);
                }
            }
            for line in path.segments().map(|line| line.turned(turn)) {
                if bounds.touches(line.bounds())
                    && self.border.near(line.bounds(), work)?.any(|edge| edge.touches(&line))
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether the area is within a polygon whose rings do not meet its border.
    fn is_surrounded(&self, path: &Path, work: &mut Work) -> Result<bool, Unchecked> {
        let Some(corner) = self.border.segments().first().map(|edge| edge.start) else { return Ok(false) };
        for turn in path.bounds().turns_of(&Bounds::at(corner)) {
            work.count(path.points().len())?;
            if is_inside(corner.turned(turn), path.segments()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Areas that together include some places.
#[derive(Debug)]
pub(crate) struct Region {
    areas: Vec<Area>,
    /// The parts of the areas' borders that have no area on one side.
    border: Index,
}

impl Region {
    pub(crate) fn new(areas: Vec<Area>) -> Self {
        let mut border = Vec::new();
        let mut work = Work::unlimited();
        let region = Self { areas, border: Index::new(Vec::new()) };
        for edge in region.areas.iter().flat_map(|area| area.border.segments()) {
            let mut cuts = Vec::new();
            for other in region.areas.iter().map(|area| &area.border) {
                for turn in other.bounds().turns_of(edge.bounds()) {
                    add_cuts(&edge.turned(turn), other, &mut cuts, &mut work).unwrap_or_default();
                }
            }
            let mut is_outside = |point| region.includes_point(point, &mut work) == Ok(false);
            border.extend(edge.pieces(&mut cuts).filter(|piece| beside(piece).into_iter().any(&mut is_outside)));
        }
        Self { border: Index::new(border), ..region }
    }

    /// Whether all of a shape is within the areas.
    pub(crate) fn includes(&self, shape: Shape<'_>, work: &mut Work) -> Result<bool, Unchecked> {
        match shape {
            Shape::Point(point) => self.includes_point(point, work),
            Shape::Lines(path) => self.includes_lines(path, work),
            Shape::Polygon(path) => Ok(self.includes_lines(path, work)? && !self.has_gap_in(path, work)?),
        }
    }

    fn includes_point(&self, point: Point, work: &mut Work) -> Result<bool, Unchecked> {
        for area in &self.areas {
            if area.holds(point, work)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn includes_lines(&self, path: &Path, work: &mut Work) -> Result<bool, Unchecked> {
        for point in path.points() {
            if !self.includes_point(*point, work)? {
                return Ok(false);
            }
        }
        let mut cuts = Vec::new();
        for line in path.segments() {
            for turn in self.border.bounds().turns_of(line.bounds()) {
                add_cuts(&line.turned(turn), &self.border, &mut cuts, work)?;
            }
            if cuts.is_empty() {
                continue;
            }
            for piece in line.pieces(&mut cuts) {
                if !self.includes_point(piece.middle(), work)? {
                    return Ok(false);
                }
            }
            cuts.clear();
        }
        Ok(true)
    }

    /// Whether a polygon whose rings are within the areas surrounds a place that is not.
    fn has_gap_in(&self, path: &Path, work: &mut Work) -> Result<bool, Unchecked> {
        let mut rings = None;
        for turn in path.bounds().turns_of(self.border.bounds()) {
            work.count(self.border.segments().len())?;
            for edge in self.border.segments().iter().map(|edge| edge.turned(turn)) {
                if !path.bounds().touches(edge.bounds()) {
                    continue;
                }
                if rings.is_none() {
                    work.count(INDEX_WORK * path.points().len())?;
                }
                let rings = rings.get_or_insert_with(|| path.index());
                let mut cuts = Vec::new();
                add_cuts(&edge, rings, &mut cuts, work)?;
                for point in edge.pieces(&mut cuts).flat_map(|piece| beside(&piece)) {
                    if rings.has_inside(point, work)? && !self.includes_point(point, work)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}

/// Adds the parts of a segment at which others cross it, begin on it or end on it.
fn add_cuts(segment: &Segment, others: &Index, cuts: &mut Vec<f64>, work: &mut Work) -> Result<(), Unchecked> {
    for other in others.near(segment.bounds(), work)? {
        segment.add_cuts(other, cuts);
    }
    Ok(())
}

/// The points left and right of the middle of a border.
fn beside(border: &Segment) -> [Point; 2] {
    let direction = border.direction();
    let right = Point::new(direction.lat, -direction.lon);
    let distance = BESIDE / direction.length();
    [distance, -distance].map(|times| border.middle().plus(times, right))
}

//! Rounding of positions, so that they say roughly where somebody is.

use super::length::Length;
use super::system::{System, wrap};

/// A degree of latitude, on average: the quarter meridian of WGS84, 10 001 965.729 m, divided by 90.
const METRES_PER_DEGREE: f64 = 111_132.952_546;

/// Rounds a WGS84 position to the nearest point of a grid. Degrees; longitude first.
///
/// Parallels of the grid are at least `cell` apart, and so are the points along each parallel: its step of longitude is
/// divided by the cosine of its latitude. Steps are stretched a little to fit a whole number of times around the Earth.
/// The equator, both poles and the prime meridian are on the grid. The Earth counts as a sphere: along a parallel,
/// points may be 0.4 % closer than `cell`.
///
/// The result depends on the arguments only, has a longitude of at least -180 and below 180 (0 at the poles) and a
/// latitude of -90 to 90, and is rounded to itself. A longitude outside of -180 to 180 counts as the same meridian
/// within; a latitude beyond a pole counts as the pole. Numbers that are not finite come back as NaN.
#[must_use]
pub fn round(lon: f64, lat: f64, cell: Length) -> (f64, f64) {
    if !lon.is_finite() || !lat.is_finite() {
        return (f64::NAN, f64::NAN);
    }
    // The number of steps from the equator to a pole.
    let quarter = (90.0 * METRES_PER_DEGREE / cell.metres()).floor().max(1.0);
    let lat = (lat.clamp(-90.0, 90.0) * quarter / 90.0).round() * 90.0 / quarter;
    // The number of steps around the Earth. `cos(90°)` is not exactly zero.
    let cosine = if lat.abs() < 90.0 { lat.to_radians().cos() } else { 0.0 };
    let around = (360.0 * METRES_PER_DEGREE * cosine / cell.metres()).floor().max(1.0);
    // The antimeridian has two names.
    let lon = if wrap(lon) >= 180.0 { -180.0 } else { wrap(lon) };
    let mut step = (lon * around / 360.0).round();
    // A step that ends beyond the antimeridian ends on its other side.
    if step * 2.0 >= around {
        step -= around;
    } else if step * 2.0 < -around {
        step += around;
    }
    (step * 360.0 / around, lat)
}

impl System {
    /// Rounds a position of this system as [`round`] does, and returns it in this system. `None` if either cannot be
    /// computed.
    #[must_use]
    pub fn round(&self, x: f64, y: f64, cell: Length) -> Option<(f64, f64)> {
        let (lon, lat) = self.to_lon_lat(x, y)?;
        let (lon, lat) = round(lon, lat, cell);
        self.from_lon_lat(lon, lat)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn metres(metres: f64) -> Length {
        Length::from_metres(metres).unwrap()
    }

    /// Metres between two positions on a sphere: the haversine formula.
    fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
        let half = |one: f64, two: f64| ((one - two).to_radians() / 2.0).sin().powi(2);
        let cosines = from.1.to_radians().cos() * to.1.to_radians().cos();
        let angle = 2.0 * (half(from.1, to.1) + cosines * half(from.0, to.0)).sqrt().min(1.0).asin();
        angle.to_degrees() * METRES_PER_DEGREE
    }

    #[test]
    fn a_position_moves_by_at_most_the_half_diagonal_of_its_cell() {
        for (lon, lat) in [(2.3522, 48.8566), (-179.9999, 0.1), (30.0, 89.95), (12.5, -67.3)] {
            let moved = distance((lon, lat), round(lon, lat, metres(1_000.0)));
            assert!(moved < 750.0, "{lon} {lat}: {moved}");
        }
    }

    #[test]
    fn neighbours_in_a_cell_are_rounded_to_one_position() {
        let cell = metres(5_000.0);
        let (lon, lat) = round(2.35, 48.85, cell);
        assert_eq!(round(lon + 0.02, lat - 0.015, cell), (lon, lat));
    }

    #[test]
    fn the_poles_are_rounded_to_one_longitude() {
        for lon in [-180.0, -17.0, 0.0, 123.4, 180.0] {
            assert_eq!(round(lon, 90.0, metres(500.0)), (0.0, 90.0));
            assert_eq!(round(lon, -89.9999, metres(500.0)), (0.0, -90.0));
        }
    }

    #[test]
    fn both_sides_of_the_antimeridian_are_rounded_to_one_longitude() {
        let cell = metres(10_000.0);
        assert_eq!(round(179.9999, 0.0, cell), round(-179.9999, 0.0, cell));
        assert_eq!(round(180.0, 20.0, cell), round(-180.0, 20.0, cell));
        assert_eq!(round(540.0, 20.0, cell), round(180.0, 20.0, cell));
    }

    #[test]
    fn a_rounded_position_can_be_given_back_in_its_own_system() {
        let lambert93 = System::resolve("EPSG:2154", "").unwrap();
        let (x, y) = lambert93.round(652_469.02, 6_862_035.26, metres(1_000.0)).unwrap();
        assert!((x - 652_469.02).hypot(y - 6_862_035.26) < 750.0);
        let again = lambert93.round(x, y, metres(1_000.0)).unwrap();
        assert!((x - again.0).hypot(y - again.1) < 0.001);
    }

    proptest! {
        #[test]
        fn rounding_twice_is_rounding_once(lon in -180.0..=180.0, lat in -90.0..=90.0, cell in 1.0..=1_000_000.0) {
            let cell = metres(cell);
            let once = round(lon, lat, cell);
            prop_assert_eq!(round(once.0, once.1, cell), once);
        }

        #[test]
        fn rounding_twice_in_another_system_is_rounding_once(
            authid in prop::sample::select(vec!["EPSG:2154", "EPSG:25832", "EPSG:2056", "EPSG:27572", "EPSG:3857"]),
            lon in -3.0..12.0, lat in 43.0..55.0, cell in 10.0..100_000.0,
        ) {
            let system = System::resolve(authid, "").unwrap();
            let (x, y) = system.from_lon_lat(lon, lat).unwrap();
            let once = system.round(x, y, metres(cell)).unwrap();
            let twice = system.round(once.0, once.1, metres(cell)).unwrap();
            prop_assert!((once.0 - twice.0).hypot(once.1 - twice.1) < 0.001, "{:?} {:?}", once, twice);
        }

        #[test]
        fn rounding_stays_on_earth(lon in any::<f64>(), lat in any::<f64>(), cell in 1.0..=1_000_000.0) {
            let (lon, lat) = round(lon, lat, metres(cell));
            prop_assert!(lon.is_nan() || ((-180.0..180.0).contains(&lon) && (-90.0..=90.0).contains(&lat)));
        }

        #[test]
        fn a_rounded_position_is_near(lon in -180.0..=180.0, lat in -90.0..=90.0, cell in 1.0..=1_000_000.0) {
            let moved = distance((lon, lat), round(lon, lat, metres(cell)));
            // Half a diagonal, and the stretch of large steps.
            prop_assert!(moved <= cell * 1.2, "{} m with cells of {} m", moved, cell);
        }
    }
}

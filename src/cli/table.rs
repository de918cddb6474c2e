//! Plain-text tables with aligned columns.

use std::fmt::Write as _;

/// The alignment of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A table with a header.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    columns: [(&'static str, Align); N],
    rows: Vec<([String; N], Vec<String>)>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(columns: [(&'static str, Align); N]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row, with notes on the lines below it.
    pub(super) fn add(&mut self, cells: [String; N], notes: Vec<String>) {
        self.rows.push((cells, notes));
    }

    /// Formats the table. Columns are separated by two spaces.
    pub(super) fn text(&self) -> String {
        let header = self.columns.map(|(title, _)| title.to_owned());
        let mut widths = [0; N];
        for cells in std::iter::once(&header).chain(self.rows.iter().map(|(cells, _)| cells)) {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: &[String; N]| {
            let mut line = String::new();
            for ((cell, width), (_, align)) in cells.iter().zip(widths).zip(self.columns) {
                // Writing to a string cannot fail.
                let _infallible = match align {
                    Align::Left => write!(line, "{cell:<width$}  "),
                    Align::Right => write!(line, "{cell:>width$}  "),
                };
            }
            format!("{}\n", line.trim_end())
        };
        let mut text = line(&header);
        for (cells, notes) in &self.rows {
            text += &line(cells);
            for note in notes {
                let _infallible = writeln!(text, "    {note}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new([("case", Align::Left), ("µs", Align::Right), ("", Align::Left)]);
        table.add(["é".to_owned(), "1234".to_owned(), "ok".to_owned()], vec!["why".to_owned()]);
        table.add(["long name".to_owned(), "5".to_owned(), String::new()], Vec::new());
        assert_eq!(table.text(), "case         µs\né          1234  ok\n    why\nlong name     5\n");
    }
}

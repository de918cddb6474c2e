//! From the bytes of a form back to those of the text that it was made from.

use std::ops::Range;

/// Where a form departs from its text. Between the stretches listed, each character became one of the same length.
#[derive(Debug, Default)]
pub(super) struct Map {
    odd: Vec<Odd>,
    /// How far the form has come.
    form: u32,
    /// How far the text has come.
    text: u32,
}

#[derive(Clone, Copy, Debug)]
struct Odd {
    form: (u32, u32),
    text: (u32, u32),
}

impl Map {
    pub(super) fn clear(&mut self) {
        self.odd.clear();
        (self.form, self.text) = (0, 0);
    }

    /// Adds `len` bytes of the form, which come from `start..end` of the text.
    #[inline]
    pub(super) fn push(&mut self, len: u32, start: u32, end: u32) {
        let from = self.form;
        self.form += len;
        if start == self.text && end.wrapping_sub(start) == len {
            self.text = end;
            return;
        }
        if start > self.text {
            self.odd.push(Odd { form: (from, from), text: (self.text, start) });
        }
        self.odd.push(Odd { form: (from, self.form), text: (start, end) });
        self.text = end;
    }

    /// The bytes of the text behind `bytes` of the form, which begin and end between characters.
    pub(super) fn original(&self, bytes: Range<usize>) -> Range<usize> {
        let (start, end) = (to_u32(bytes.start), to_u32(bytes.end));
        let before = |count: usize| count.checked_sub(1).and_then(|last| self.odd.get(last));
        let first = match before(self.odd.partition_point(|odd| odd.form.0 <= start)) {
            Some(odd) if start < odd.form.1 => odd.text.0,
            Some(odd) => odd.text.1 + (start - odd.form.1),
            None => start,
        };
        if start >= end {
            return first as usize..first as usize;
        }
        let last = match before(self.odd.partition_point(|odd| odd.form.0 < end)) {
            Some(odd) if end <= odd.form.1 => odd.text.1,
            Some(odd) => odd.text.1 + (end - odd.form.1),
            None => end,
        };
        first as usize..last.max(first) as usize
    }
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

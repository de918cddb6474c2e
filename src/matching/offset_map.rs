//! Maps byte offsets of a derived form back to the text that it was made from.

use std::ops::Range;

/// The places where a form differs from its text. Between segments, every character became one of the same length.
#[derive(Debug, Default)]
pub(super) struct OffsetMap {
    segments: Vec<Segment>,
    /// Length of the form so far. Bytes.
    form: u32,
    /// Length of the text consumed so far. Bytes.
    text: u32,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    form: (u32, u32),
    text: (u32, u32),
}

impl OffsetMap {
    pub(super) fn clear(&mut self) {
        self.segments.clear();
        (self.form, self.text) = (0, 0);
    }

    /// Appends `len` bytes of the form, made from `start..end` of the text.
    #[inline]
    pub(super) fn push(&mut self, len: u32, start: u32, end: u32) {
        let from = self.form;
        self.form += len;
        if start == self.text && end.wrapping_sub(start) == len {
            self.text = end;
            return;
        }
        if start > self.text {
            self.segments.push(Segment { form: (from, from), text: (self.text, start) });
        }
        self.segments.push(Segment { form: (from, self.form), text: (start, end) });
        self.text = end;
    }

    /// Returns the bytes of the text that `bytes` of the form came from. `bytes` must lie on character boundaries.
    pub(super) fn original(&self, bytes: Range<usize>) -> Range<usize> {
        let (start, end) = (to_u32(bytes.start), to_u32(bytes.end));
        let before = |count: usize| count.checked_sub(1).and_then(|last| self.segments.get(last));
        let first = match before(self.segments.partition_point(|segment| segment.form.0 <= start)) {
            Some(segment) if start < segment.form.1 => segment.text.0,
            Some(segment) => segment.text.1 + (start - segment.form.1),
            None => start,
        };
        if start >= end {
            return first as usize..first as usize;
        }
        let last = match before(self.segments.partition_point(|segment| segment.form.0 < end)) {
            Some(segment) if end <= segment.form.1 => segment.text.1,
            Some(segment) => segment.text.1 + (end - segment.form.1),
            None => end,
        };
        first as usize..last.max(first) as usize
    }
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

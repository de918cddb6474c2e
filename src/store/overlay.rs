//! Writes to a file that are kept in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

/// Size of a page, in bytes.
const PAGE: usize = 4_096;

/// Writes to a file that are kept in memory.
#[derive(Debug)]
pub(super) struct Overlay {
    length: u64,
    /// Length of the part of the file that was never cut off. Data written since is in `pages`; the rest is zero.
    visible: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

/// The part of a range that lies in one page.
struct PagePart {
    number: u64,
    page_range: Range<usize>,
    data_range: Range<usize>,
}

impl Overlay {
    /// Creates an overlay of a file of this length.
    pub(super) fn new(length: u64) -> Self {
        Self { length, visible: length, pages: BTreeMap::new() }
    }

    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Sets the length. Bytes that are cut off are zero if it grows again.
    pub(super) fn set_len(&mut self, length: u64) {
        if length < self.length {
            self.visible = self.visible.min(length);
            self.pages.retain(|&number, _| start_of(number) < length);
            let last = self.pages.get_mut(&(length / PAGE as u64));
            let cut = usize::try_from(length % PAGE as u64).ok().and_then(|end| last?.get_mut(end..));
            cut.into_iter().flatten().for_each(|byte| *byte = 0);
        }
        self.length = length;
    }

    pub(super) fn read(&self, file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for PagePart { number, page_range, data_range } in split(offset, out.len()) {
            let Some(out) = out.get_mut(data_range) else { continue };
            match self.pages.get(&number) {
                Some(page) => out.copy_from_slice(page.get(page_range).unwrap_or(&[])),
                None => self.read_file(file, start_of(number) + page_range.start as u64, out)?,
            }
        }
        Ok(())
    }

    pub(super) fn write(&mut self, file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
        for PagePart { number, page_range, data_range } in split(offset, data.len()) {
            if !self.pages.contains_key(&number) {
                let mut page = Box::new([0; PAGE]);
                self.read_file(file, start_of(number), page.as_mut_slice())?;
                self.pages.insert(number, page);
            }
            let page = self.pages.get_mut(&number).and_then(|page| page.get_mut(page_range));
            if let (Some(page), Some(data)) = (page, data.get(data_range)) {
                page.copy_from_slice(data);
            }
        }
        self.length = self.length.max(offset.saturating_add(data.len() as u64));
        Ok(())
    }

    /// Reads from the visible part of the file; other bytes are zero.
    fn read_file(&self, file: &File, mut offset: u64, out: &mut [u8]) -> io::Result<()> {
        out.fill(0);
        let visible = usize::try_from(self.visible.saturating_sub(offset)).unwrap_or(usize::MAX).min(out.len());
        let mut rest = out.get_mut(..visible).unwrap_or_default();
        while !rest.is_empty() {
            match file.read_at(rest, offset) {
                Ok(0) => break,
                Ok(count) => {
                    offset += count as u64;
                    rest = rest.get_mut(count..).unwrap_or_default();
                }
                Err(again) if again.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Returns the offset of a page.
fn start_of(page: u64) -> u64 {
    page * PAGE as u64
}

/// Splits a range into parts that lie in one page each.
fn split(offset: u64, length: usize) -> impl Iterator<Item = PagePart> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset.checked_add(done as u64).filter(|_| done < length)?;
        let start = usize::try_from(at % PAGE as u64).ok()?;
        let count = (PAGE - start).min(length - done);
        let (page_range, data_range) = (start..start + count, done..done + count);
        done += count;
        Some(PagePart { number: at / PAGE as u64, page_range, data_range })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_zero_when_the_length_grows_again() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[1; 3 * PAGE], 0).unwrap();
        let mut overlay = Overlay::new(3 * PAGE as u64);
        overlay.write(&file, PAGE as u64, &[2; 2 * PAGE]).unwrap();
        let bytes = |overlay: &Overlay, offsets: [usize; 4]| {
            offsets.map(|offset| {
                let mut byte = [9];
                overlay.read(&file, offset as u64, &mut byte).unwrap();
                byte[0]
            })
        };
        overlay.set_len(PAGE as u64 + 10);
        overlay.set_len(4 * PAGE as u64);
        assert_eq!(bytes(&overlay, [PAGE + 9, PAGE + 10, 2 * PAGE, 4 * PAGE - 1]), [2, 0, 0, 0]);
        overlay.set_len(10);
        overlay.set_len(4 * PAGE as u64);
        assert_eq!(bytes(&overlay, [9, 10, PAGE, 2 * PAGE]), [1, 0, 0, 0]);
        overlay.write(&file, 20, &[3]).unwrap();
        assert_eq!(bytes(&overlay, [9, 19, 20, 21]), [1, 0, 3, 0]);
        assert!(overlay.read(&file, 4 * PAGE as u64, &mut [0]).is_err());
    }
}

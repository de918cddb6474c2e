//! A frame that does not fit the read buffer, such as a layer or an image.
//!
//! Only its start is kept and the rest is counted: to collect a layer for each of a thousand members would cost the
//! tool more time than reading it.

use crate::frames::{self, FrameError, Header, Text};

/// Bytes of the payload that are kept.
const HEAD: usize = 256;

/// A text frame of which a part has arrived.
#[derive(Debug)]
pub(crate) struct LargeFrame {
    head: Vec<u8>,
    /// Bytes of the payload.
    len: usize,
    /// Bytes that have not arrived yet.
    left: usize,
}

impl LargeFrame {
    /// Starts with the first `bytes` of a frame, all of which it takes. `None` if the frame is not longer than `most`
    /// bytes, or if too little of it has arrived.
    ///
    /// # Errors
    /// [`FrameError`] if the frame is illegal or not a text.
    pub(crate) fn start(bytes: &[u8], most: usize) -> Result<Option<Self>, FrameError> {
        let Some(Header { opcode, len: header, payload }) = frames::header(bytes)? else { return Ok(None) };
        if payload.saturating_add(header) <= most {
            return Ok(None);
        }
        if opcode != frames::TEXT {
            return Err(FrameError::Opcode(opcode));
        }
        let arrived = &bytes[header..];
        Ok(arrived.get(..HEAD).map(|head| Self { head: head.to_vec(), len: payload, left: payload - arrived.len() }))
    }

    /// Takes the next bytes of the frame from the start of `bytes`. Returns their number.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> usize {
        let taken = self.left.min(bytes.len());
        self.left -= taken;
        taken
    }

    /// The text, once all of it has arrived.
    pub(crate) fn text(&self) -> Option<Text<'_>> {
        (self.left == 0).then_some(Text { head: &self.head, len: self.len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::masked;
    use crate::frames::tests::as_server_frame;

    #[test]
    fn the_start_is_kept_and_the_rest_is_counted() {
        let payload: Vec<u8> = (0..70_000).map(|at| (at % 251) as u8).collect();
        let mut bytes = as_server_frame(&masked(frames::TEXT, &payload));
        bytes.extend_from_slice(b"\x81\x02hi");
        let mut large = LargeFrame::start(&bytes[..1_000], 65_536).expect("legal").expect("large");
        assert_eq!(large.text(), None);
        assert_eq!(large.take(&bytes[1_000..50_000]), 49_000);
        assert_eq!(large.text(), None);
        assert_eq!(large.take(&bytes[50_000..]), bytes.len() - 50_000 - 4);
        assert_eq!(large.text(), Some(Text { head: &payload[..HEAD], len: 70_000 }));
    }

    #[test]
    fn a_frame_that_fits_or_has_barely_begun_is_not_large() {
        let bytes = as_server_frame(&masked(frames::TEXT, &"x".repeat(70_000).into_bytes()));
        for (arrived, most) in [(1_000, bytes.len()), (HEAD, 65_536), (5, 65_536)] {
            assert!(LargeFrame::start(&bytes[..arrived], most).expect("legal").is_none(), "{arrived} of {most}");
        }
        let ping = as_server_frame(&masked(frames::PING, &"x".repeat(70_000).into_bytes()));
        assert_eq!(LargeFrame::start(&ping, 65_536).err(), Some(FrameError::Opcode(frames::PING)));
    }
}

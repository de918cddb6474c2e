//! Turns frames of clients into frames of a server in place.

/// A frame of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming<'a> {
    /// A text, as the complete frame that forwards it.
    Text(&'a [u8]),
    /// A ping, as the complete frame of its pong.
    Ping(&'a [u8]),
    /// A pong.
    Pong,
    /// A close frame, as the close frame that answers it.
    Close(&'a [u8]),
}

/// The connection must be closed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Disconnect;

/// Unmasks the frame at the start of `bytes`. Returns it with its length, or `None` while it is incomplete.
///
/// The frame of a server has no mask and so a shorter header, which fits before the payload: the payload is not copied.
///
/// # Errors
/// [`Disconnect`] for fragments, binary messages, and frames that clients may not send.
pub(crate) fn decode(bytes: &mut [u8]) -> Result<Option<(Incoming<'_>, usize)>, Disconnect> {
    let [first, second, rest @ ..] = &*bytes else {
        return Ok(None);
    };
    let (first, second) = (*first, *second);
    if second & 0x80 == 0 || first & 0xf0 != 0x80 {
        return Err(Disconnect);
    }
    let (header, size) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(size) => (4, usize::from(u16::from_be_bytes(*size))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(size) => (10, usize::try_from(u64::from_be_bytes(*size)).map_err(|_| Disconnect)?),
            None => return Ok(None),
        },
        size => (2, usize::from(size)),
    };
    let len = size.checked_add(header + 4).ok_or(Disconnect)?;
    let Some(frame) = bytes.get_mut(..len) else {
        return Ok(None);
    };
    let (head, payload) = frame.split_at_mut(header + 4);
    let Some(mask) = head.last_chunk::<4>() else {
        return Err(Disconnect);
    };
    unmask(payload, *mask);
    let opcode = first & 0x0f;
    // Move the header over the mask, next to the payload.
    frame.copy_within(1..header, 5);
    frame[4] = if opcode == 0x9 { 0x8a } else { first };
    frame[5] &= 0x7f;
    let frame = &frame[4..];
    let incoming = match opcode {
        0x1 => Incoming::Text(frame),
        0x8 => Incoming::Close(frame),
        0x9 => Incoming::Ping(frame),
        0xa => Incoming::Pong,
        _ => return Err(Disconnect),
    };
    Ok(Some((incoming, len)))
}

/// Unmasks eight bytes at a time.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    fn header(first: u8, size: usize, mask_bit: u8) -> Vec<u8> {
        let mut header = vec![first];
        match size {
            0..126 => header.push(mask_bit | u8::try_from(size).unwrap()),
            126..65_536 => {
                header.push(mask_bit | 0x7e);
                header.extend(u16::try_from(size).unwrap().to_be_bytes());
            }
            _ => {
                header.push(mask_bit | 0x7f);
                header.extend((size as u64).to_be_bytes());
            }
        }
        header
    }

    fn client(first: u8, payload: &[u8]) -> Vec<u8> {
        let masked = payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        header(first, payload.len(), 0x80).into_iter().chain(MASK).chain(masked).collect()
    }

    fn server(first: u8, payload: &[u8]) -> Vec<u8> {
        [header(first, payload.len(), 0), payload.to_vec()].concat()
    }

    #[test]
    fn a_text_of_any_length_becomes_the_frame_that_forwards_it() {
        for size in [0, 1, 7, 8, 13, 125, 126, 65_535, 65_536] {
            let payload: Vec<u8> = (0..=250).cycle().take(size).collect();
            let mut bytes = [client(0x81, &payload), b"next".to_vec()].concat();
            let len = bytes.len() - 4;
            assert_eq!(decode(&mut bytes), Ok(Some((Incoming::Text(&server(0x81, &payload)), len))), "{size}");
        }
    }

    #[test]
    fn pings_are_answered_and_closes_returned() {
        assert_eq!(decode(&mut client(0x89, b"hi")), Ok(Some((Incoming::Ping(&server(0x8a, b"hi")), 8))));
        assert_eq!(decode(&mut client(0x88, b"\x03\xe8")), Ok(Some((Incoming::Close(&server(0x88, b"\x03\xe8")), 8))));
        assert_eq!(decode(&mut client(0x8a, b"")), Ok(Some((Incoming::Pong, 6))));
    }

    #[test]
    fn an_incomplete_frame_is_unchanged() {
        for size in [5, 300, 70_000] {
            let whole = client(0x81, &vec![b'x'; size]);
            for cut in [0, 1, 2, 3, 5, 9, 11, whole.len() - 1] {
                let mut bytes = whole[..cut.min(whole.len() - 1)].to_vec();
                let before = bytes.clone();
                assert_eq!(decode(&mut bytes), Ok(None), "size {size} cut at {cut}");
                assert_eq!(bytes, before);
            }
        }
    }

    #[test]
    fn unmasked_frames_fragments_and_binary_messages_disconnect() {
        assert_eq!(decode(&mut server(0x81, b"hi")), Err(Disconnect));
        assert_eq!(decode(&mut client(0x01, b"hi")), Err(Disconnect));
        assert_eq!(decode(&mut client(0x80, b"hi")), Err(Disconnect));
        assert_eq!(decode(&mut client(0x82, b"hi")), Err(Disconnect));
    }
}

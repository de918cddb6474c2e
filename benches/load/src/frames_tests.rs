//! Framing by the letter of RFC 6455, with a slow and obvious unmasking as the judge.

use super::*;

/// Turns a client frame into the frame a server would send: unmasks it and strips the masking key.
pub(crate) fn as_server_frame(client: &[u8]) -> Vec<u8> {
    let header = match client[1] & 0x7f {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let mut frame = client[..header].to_vec();
    frame[1] &= 0x7f;
    let key = &client[header..header + 4];
    frame.extend(client[header + 4..].iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]));
    frame
}

#[test]
fn every_length_form_survives_masking_and_parsing() {
    for size in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
        let payload: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let bytes = as_server_frame(&masked(PING, &payload));
        let frame = next(&bytes).expect("legal").expect("complete");
        assert_eq!((frame.opcode, frame.payload, frame.len), (PING, &payload[..], bytes.len()), "size {size}");
    }
}

#[test]
fn a_frame_cut_anywhere_is_incomplete_and_not_an_error() {
    for size in [5, 300, 70_000] {
        let bytes = as_server_frame(&masked(TEXT, &vec![b'x'; size]));
        for cut in (0..bytes.len()).step_by(size / 5) {
            assert_eq!(next(&bytes[..cut]), Ok(None), "size {size} cut at {cut}");
        }
    }
}

#[test]
fn only_the_first_of_two_frames_is_taken() {
    let bytes = b"\x81\x02hi\x81\x03you";
    assert_eq!(next(bytes), Ok(Some(Frame { opcode: TEXT, payload: b"hi", len: 4 })));
    assert_eq!(next(&bytes[4..]), Ok(Some(Frame { opcode: TEXT, payload: b"you", len: 5 })));
}

#[test]
fn masks_and_reserved_bits_from_a_server_are_errors() {
    assert_eq!(next(&[0x81, 0x82, 0, 0]), Err(FrameError::Illegal(0x81, 0x82)));
    assert_eq!(next(&[0xc1, 0x02, 0, 0]), Err(FrameError::Illegal(0xc1, 0x02)));
}

#[test]
fn a_frame_longer_than_the_address_space_is_incomplete() {
    assert_eq!(next(&[0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255, 1]), Ok(None));
}

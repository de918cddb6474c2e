use bytes::Bytes;
use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::encode::encode;
use super::*;

const LIMIT: usize = 1000;
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = encode(first, payload).to_vec();
    frame[1] |= 0x80;
    let at = frame.len() - payload.len();
    frame.splice(at..at, MASK);
    for (i, byte) in frame[at + 4..].iter_mut().enumerate() {
        *byte ^= MASK[i % 4];
    }
    frame
}

fn decode(bytes: &[u8]) -> Result<Vec<Incoming>, Violation> {
    let mut decoder = Decoder::new(LIMIT);
    let mut input = bytes;
    let mut got = Vec::new();
    while let Some(incoming) = decoder.decode(&mut input)? {
        got.push(incoming);
    }
    Ok(got)
}

/// Decodes the bytes one at a time.
fn decode_bytewise(bytes: &[u8]) -> Result<Vec<Incoming>, Violation> {
    let mut decoder = Decoder::new(LIMIT);
    let mut got = Vec::new();
    for byte in bytes {
        let mut input = std::slice::from_ref(byte);
        while let Some(incoming) = decoder.decode(&mut input)? {
            got.push(incoming);
        }
    }
    Ok(got)
}

fn text_of(text: &str) -> Incoming {
    Incoming::Text(text.to_owned())
}

#[test]
fn decoding_is_the_same_in_one_piece_and_byte_by_byte() {
    let long = "é".repeat(300);
    let mut bytes = masked(0x81, b"hello");
    bytes.extend(masked(0x89, b"are you there"));
    bytes.extend(masked(0x81, long.as_bytes()));
    bytes.extend(masked(0x88, &[0x03, 0xe8]));
    let expected =
        vec![text_of("hello"), Incoming::Ping(b"are you there".to_vec()), text_of(&long), Incoming::Close(Some(1000))];
    assert_eq!(decode(&bytes), Ok(expected.clone()));
    assert_eq!(decode_bytewise(&bytes), Ok(expected));
}

#[test]
fn fragments_make_one_message_with_control_frames_between_them() {
    let mut bytes = masked(0x01, "Gr\u{fc}".as_bytes()[..3].as_ref());
    bytes.extend(masked(0x8a, b""));
    bytes.extend(masked(0x00, &"\u{fc}".as_bytes()[1..]));
    bytes.extend(masked(0x80, b"n"));
    assert_eq!(decode(&bytes), Ok(vec![Incoming::Pong, text_of("Gr\u{fc}n")]));
}

#[test]
fn a_large_image_is_whole_wherever_it_is_cut_into_fragments() {
    // Base64 of an image, with letters of two bytes before and after it.
    let text = format!(r#"{{"author":"Zoé","type":"image","image_data":"{}","é":""}}"#, "iVBORw0KGgo=".repeat(3_000));
    let bytes = text.as_bytes();
    for cut in 0..=bytes.len() {
        let mut decoder = Decoder::new(bytes.len());
        for (first, fragment) in [(0x01, &bytes[..cut]), (0x80, &bytes[cut..])] {
            let frame = masked(first, fragment);
            let (mut input, is_last) = (frame.as_slice(), first == 0x80);
            let message = decoder.decode(&mut input).unwrap();
            assert_eq!(message.is_some(), is_last, "cut at {cut}");
            assert!(message.is_none_or(|message| message == text_of(&text)), "cut at {cut}");
        }
    }
}

#[test]
fn an_empty_text_is_a_message() {
    assert_eq!(decode(&masked(0x81, b"")), Ok(vec![text_of("")]));
}

#[test]
fn a_message_at_the_limit_is_accepted_and_a_longer_one_is_not() {
    assert_eq!(decode(&masked(0x81, &[b'a'; LIMIT])), Ok(vec![text_of(&"a".repeat(LIMIT))]));
    assert_eq!(decode(&masked(0x81, &[b'a'; LIMIT + 1])), Err(Violation::TooBig { limit: LIMIT }));
}

#[test]
fn fragments_count_together_toward_the_limit() {
    let mut bytes = masked(0x01, &[b'a'; LIMIT]);
    bytes.extend(masked(0x80, b"b"));
    assert_eq!(decode(&bytes), Err(Violation::TooBig { limit: LIMIT }));
}

#[test]
fn a_length_is_refused_before_its_payload_arrives() {
    let head = [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4];
    assert_eq!(decode(&head), Err(Violation::TooBig { limit: LIMIT }));
}

#[test]
fn frames_forbidden_by_rfc_6455_are_protocol_violations() {
    let mut double_start = masked(0x01, b"a");
    double_start.extend(masked(0x81, b"b"));
    let cases: &[(&str, Vec<u8>)] = &[
        ("not masked", vec![0x81, 0x01, b'a']),
        ("reserved bit 1", masked(0xc1, b"a")),
        ("reserved bit 2", masked(0xa1, b"a")),
        ("reserved bit 3", masked(0x91, b"a")),
        ("reserved data opcode", masked(0x83, b"a")),
        ("reserved control opcode", masked(0x8b, b"a")),
        ("fragmented ping", masked(0x09, b"a")),
        ("fragmented close", masked(0x08, b"")),
        ("ping of 126 bytes", masked(0x89, &[b'a'; 126])),
        ("continuation of nothing", masked(0x80, b"a")),
        ("message within a message", double_start),
        ("close with one byte", masked(0x88, &[3])),
        ("close 999", masked(0x88, &999_u16.to_be_bytes())),
        ("close 1004", masked(0x88, &1004_u16.to_be_bytes())),
        ("close 1005", masked(0x88, &1005_u16.to_be_bytes())),
        ("close 1006", masked(0x88, &1006_u16.to_be_bytes())),
        ("close 1015", masked(0x88, &1015_u16.to_be_bytes())),
        ("close 2999", masked(0x88, &2999_u16.to_be_bytes())),
        ("close 5000", masked(0x88, &5000_u16.to_be_bytes())),
        ("16 bits of length for 125", vec![0x81, 0xfe, 0x00, 125, 1, 2, 3, 4]),
        ("64 bits of length for 65535", vec![0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4]),
    ];
    for (name, bytes) in cases {
        assert!(matches!(decode(bytes), Err(Violation::Protocol(_))), "{name}: {:?}", decode(bytes));
        assert_eq!(decode(bytes), decode_bytewise(bytes), "{name}");
    }
}

#[test]
fn a_binary_message_is_a_violation_of_its_own() {
    assert_eq!(decode(&masked(0x82, b"a")), Err(Violation::Binary));
}

#[test]
fn text_that_is_not_utf8_is_a_violation_of_its_own() {
    for bad in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf"] {
        assert_eq!(decode(&masked(0x81, bad)), Err(Violation::Utf8), "{bad:?}");
    }
    assert_eq!(decode(&masked(0x88, b"\x03\xe8\xff")), Err(Violation::Utf8));
}

#[test]
fn an_idle_decoder_holds_no_memory_after_a_long_message() {
    let mut decoder = Decoder::new(LIMIT);
    let bytes = masked(0x81, &[b'a'; LIMIT]);
    let (most, last) = bytes.split_at(bytes.len() - 1);
    assert_eq!(decoder.decode(&mut &*most), Ok(None));
    assert!(decoder.buffered_bytes() >= LIMIT - 1 && decoder.has_partial());
    assert!(decoder.decode(&mut &*last).is_ok_and(|i| i.is_some()));
    assert_eq!((decoder.buffered_bytes(), decoder.has_partial()), (0, false));
}

#[test]
fn a_close_reason_is_truncated_at_a_character_boundary() {
    let frame = close(CloseCode::Policy, &"é".repeat(100));
    assert_eq!(frame.len(), 2 + 2 + 122);
    assert!(std::str::from_utf8(&frame[4..]).is_ok());
}

proptest! {
    #[test]
    fn random_bytes_never_panic_and_do_not_depend_on_how_they_are_cut(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(decode(&bytes).is_err(), decode_bytewise(&bytes).is_err());
    }

    #[test]
    fn what_another_implementation_frames_comes_out_whole(
        texts in prop::collection::vec(("\\PC{0,200}", any::<[u8; 4]>(), 0_u8..4), 1..5),
    ) {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for (text, mask, kind) in texts {
            let payload = text.clone().into_bytes();
            let payload = if kind < 2 { payload.into_iter().take(125).collect() } else { payload };
            expected.push(match kind {
                0 => Incoming::Ping(payload.clone()),
                1 => Incoming::Pong,
                _ => Incoming::Text(text),
            });
            let mut frame = match kind {
                0 => Frame::ping(payload),
                1 => Frame::pong(payload),
                _ => Frame::message(payload, OpCode::Data(Data::Text), true),
            };
            frame.header_mut().mask = Some(mask);
            prop_assert!(frame.format(&mut bytes).is_ok());
        }
        prop_assert_eq!(decode(&bytes), Ok(expected.clone()));
        prop_assert_eq!(decode_bytewise(&bytes), Ok(expected));
    }

    #[test]
    fn another_implementation_reads_what_is_built_here(payload in "\\PC{0,70000}") {
        let frame = text(payload.as_bytes());
        let mut cursor = std::io::Cursor::new(&frame[..]);
        let parsed = tokio_tungstenite::tungstenite::protocol::frame::FrameHeader::parse(&mut cursor);
        let Ok(Some((header, length))) = parsed else { return Err(TestCaseError::fail("no header")) };
        prop_assert!(header.is_final && header.mask.is_none());
        prop_assert_eq!(length, payload.len() as u64);
        let head = usize::try_from(cursor.position()).unwrap();
        prop_assert_eq!(&frame[head..], payload.as_bytes());
    }
}

#[test]
fn the_end_of_a_frame_is_found_from_any_byte_in_it() {
    let frames: Vec<Bytes> = [0, 3, 125, 126, 300, 65_535, 65_536, 2].map(|n| text(&vec![b'a'; n])).into();
    let all = frames.concat();
    let mut start = 0;
    for frame in &frames {
        let end = start + frame.len();
        for place in [start, start + 1, start + frame.len() / 2, end - 1] {
            assert_eq!(end_of_frame(&all, place), end, "byte {place} of the frame at {start}");
        }
        start = end;
    }
    assert_eq!(end_of_frame(&all, all.len()), all.len());
}

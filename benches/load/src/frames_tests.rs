//! Framing by the letter of RFC 6455, with a slow and obvious unmasking as the judge.

use super::*;

/// Turns a client frame into the frame a server would send: unmasks it and strips the masking key.
fn as_server_frame(client: &[u8]) -> Vec<u8> {
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

#[test]
fn a_chat_frame_has_the_requested_size_and_is_json() {
    for size in [ChatFrame::MIN_SIZE, 120, 125, 126, 1_000] {
        let mut chat = ChatFrame::new(size, 7);
        let bytes = as_server_frame(chat.numbered(42));
        let frame = next(&bytes).expect("legal").expect("complete");
        assert_eq!((frame.opcode, frame.payload.len()), (TEXT, size));
        let json: serde_json::Value = serde_json::from_slice(frame.payload).expect("JSON");
        assert_eq!(json["author"], "sender007");
        assert!(json["avatar"].is_null());
        assert!(json["message"].as_str().expect("text").starts_with("00000042"), "{json}");
    }
}

#[test]
fn numbers_are_patched_and_read_back() {
    let mut chat = ChatFrame::new(120, 0);
    for number in [0, 7, 99, 12_345_678, 3] {
        let bytes = as_server_frame(chat.numbered(number));
        let frame = next(&bytes).expect("legal").expect("complete");
        assert_eq!(sequence(frame.payload), Some(number));
        assert_eq!(kind(frame.payload), Kind::Chat);
    }
}

#[test]
fn each_number_has_different_words() {
    let mut chat = ChatFrame::new(120, 0);
    let mut text = |number| {
        let bytes = as_server_frame(chat.numbered(number));
        let frame = next(&bytes).expect("legal").expect("complete");
        let json: serde_json::Value = serde_json::from_slice(frame.payload).expect("JSON");
        json["message"].as_str().expect("text").split_once(' ').expect("words").1.to_owned()
    };
    let texts: std::collections::HashSet<String> = (0..10_000).map(&mut text).collect();
    assert_eq!(texts.len(), 10_000);
    assert_eq!(text(7), text(7));
}

#[test]
fn the_number_is_found_in_any_order_of_keys() {
    assert_eq!(sequence(br#"{"author":"sender","avatar":null,"message":"00000123 hi"}"#), Some(123));
    assert_eq!(sequence(br#"{"author":"sender","avatar":null,"message":"hello you"}"#), None);
    assert_eq!(sequence(br#"{"author":"sender","message":"1"}"#), None);
    assert_eq!(sequence(br#"{"author":"sender"}"#), None);
}

#[test]
fn presence_and_refusals_are_not_deliveries() {
    assert_eq!(kind(br#"{"author":"internal","nb_users":36}"#), Kind::Presence);
    assert_eq!(kind(br#"{"author":"moderation","message":"Refused: no"}"#), Kind::Refusal);
    assert_eq!(kind(br#"{"author":"internals","message":"a"}"#), Kind::Chat);
    assert_eq!(kind(br#"{"message":"a","author":"internal"}"#), Kind::Chat);
    assert_eq!(kind(b""), Kind::Chat);
}

#[test]
fn only_user_counts_are_read_as_such() {
    assert_eq!(users(br#"{"author":"internal","nb_users":36}"#), Some(36));
    assert_eq!(users(br#"{"author":"internal","nb_users":4294967295}"#), Some(u32::MAX));
    for other in [
        r#"{"author":"internal","newcomer":"Jane"}"#,
        r#"{"author":"internal","nb_users":"36"}"#,
        r#"{"author":"internal","nb_users":4294967296}"#,
        r#"{"author":"internal","nb_users":36"#,
    ] {
        assert_eq!(users(other.as_bytes()), None, "{other}");
    }
}

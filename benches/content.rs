//! The cost of frames of v2 and v3: a text, a layer of 500 features, an image.
//!
//! A message is decoded once and encoded once per generation, however many members a room has. Images are not decoded on
//! the threads of rooms.

// Setup failures may panic.
#![allow(clippy::expect_used, missing_docs)]

use std::hint::black_box;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use gischat_relay::images::{Limits, normalize};
use gischat_relay::model::{Message, RoomEvent};
use gischat_relay::wire::{self, Generation, typed};
use image::{ExtendedColorType, codecs::jpeg::JpegEncoder};

/// A text as QChat sends it.
const TEXT: &str = r#"{"type":"text","id":"3f2b8e8e-7c36-4ad6-8d8a-0d2d9c7d0d5b","timestamp":1796029248,"author":"jane","avatar":"mGeoPackage.svg","text":"has anybody the parcels of Lyon?"}"#;

/// A layer of 500 polygons, 300 KB.
fn layer() -> String {
    let feature = |n: usize| {
        let ring: Vec<String> = (0..25).map(|at| format!("[4.8{n:03}{at:02},45.7{at:02}{n:03}]")).collect();
        format!(
            r#"{{"type":"Feature","properties":{{"id":{n},"name":"parcel {n}","area":{n}.25}},"geometry":{{"type":"Polygon","coordinates":[[{}]]}}}}"#,
            ring.join(",")
        )
    };
    let features: Vec<String> = (0..500).map(feature).collect();
    format!(
        r#"{{"type":"geojson","author":"jane","avatar":null,"layer_name":"parcels","crs_wkt":"","crs_authid":"EPSG:4326","style":null,"geojson":{{"type":"FeatureCollection","features":[{}]}}}}"#,
        features.join(",")
    )
}

/// A photo of 12 megapixels, as base64 of a JPEG.
fn photo() -> String {
    let (width, height) = (4_000_u32, 3_000_u32);
    // A gradient with a texture, so that the file is as large as that of a photo.
    let pixel = |n: u32| {
        let (x, y) = (n % width, n / width);
        let texture = (x / 5 * 31 + y / 5 * 17) % 32;
        [x * 200 / width + texture, y * 200 / height + texture, (x + y) * 200 / (width + height) + texture]
    };
    let pixels: Vec<u8> = (0..width * height).flat_map(|n| pixel(n).map(|value| value.to_le_bytes()[0])).collect();
    let mut jpeg = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut jpeg, 80).encode(&pixels, width, height, ExtendedColorType::Rgb8);
    encoded.expect("the image is valid");
    BASE64_STANDARD.encode(&jpeg)
}

fn decode(frame: &str) -> Message {
    typed::decode(Generation::V3, frame).expect("a valid frame").expect("a message")
}

fn encode_for_all(message: &Message) -> usize {
    let encoded = Generation::ALL.map(|generation| {
        let mut buffer = BytesMut::new();
        wire::append_event(generation, RoomEvent::Message(message), &mut buffer);
        buffer.len()
    });
    encoded.iter().sum()
}

fn costs(criterion: &mut Criterion) {
    let text = decode(TEXT);
    criterion.bench_function("decode a text of v3", |b| b.iter(|| decode(black_box(TEXT))));
    criterion.bench_function("encode a text for all generations", |b| b.iter(|| encode_for_all(black_box(&text))));
    let frame = layer();
    let message = decode(&frame);
    criterion.bench_function("decode a layer of 500 features", |b| b.iter(|| decode(black_box(&frame))));
    criterion.bench_function("encode a layer of 500 features for all generations", |b| {
        b.iter(|| encode_for_all(black_box(&message)));
    });
    let photo = photo();
    let mut group = criterion.benchmark_group("images");
    group.sample_size(10);
    group.bench_function("a photo of 12 megapixels", |b| {
        b.iter(|| normalize(black_box(&photo), &Limits::default()).expect("a valid image"));
    });
    group.finish();
    println!("a layer has {} KB, a photo {} KB of base64", frame.len() / 1_000, photo.len() / 1_000);
}

criterion_group!(benches, costs);
criterion_main!(benches);

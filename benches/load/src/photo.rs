//! A photo, as a plugin shares it.

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::frames::{TEXT, Text, masked};

/// The width and height of a photo of 12 megapixels.
pub(crate) const SIZE: (u32, u32) = (4_000, 3_000);
const QUALITY: u8 = 92;

/// A JPEG, ready to be sent by a member of v2 or v3.
#[derive(Debug)]
pub(crate) struct Photo {
    /// The masked frame.
    pub(crate) frame: Vec<u8>,
    /// Characters of its base64.
    pub(crate) base64: usize,
}

impl Photo {
    /// Makes a photo of this width and height.
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub(crate) fn new((width, height): (u32, u32)) -> Result<Self> {
        let pixels: Vec<u8> = (0..width * height).flat_map(|at| pixel(at, width, height)).collect();
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
            .encode(&pixels, width, height, ExtendedColorType::Rgb8)
            .context("the photo cannot be encoded")?;
        let base64 = BASE64_STANDARD.encode(&jpeg);
        let json = format!(r#"{{"type":"image","author":"photographer","avatar":null,"image_data":"{base64}"}}"#);
        Ok(Self { frame: masked(TEXT, json.as_bytes()), base64: base64.len() })
    }
}

/// Whether the relay sends an image in `text`.
pub(crate) fn is_image(text: Text<'_>) -> bool {
    text.head.starts_with(br#"{"type":"image","#)
}

/// A gradient with a texture, so that the file is as large as that of a photo.
fn pixel(at: u32, width: u32, height: u32) -> [u8; 3] {
    let (x, y) = (at % width, at / width);
    let texture = (x / 5 * 31 + y / 5 * 17) % 32;
    let gradients = [x * 200 / width, y * 200 / height, (x + y) * 200 / (width + height)];
    gradients.map(|gradient| (gradient + texture) as u8)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::frames;
    use crate::frames::tests::as_server_frame;

    #[test]
    fn a_photo_is_a_jpeg_in_base64() {
        let photo = Photo::new((40, 30)).expect("a valid size");
        let bytes = as_server_frame(&photo.frame);
        let frame = frames::next(&bytes).expect("legal").expect("complete");
        let json: Value = serde_json::from_slice(frame.payload).expect("JSON");
        assert!(json["image_data"].as_str().is_some_and(|data| data.starts_with("/9j/") && data.len() == photo.base64));
        assert!(is_image(Text::whole(frame.payload)));
    }
}

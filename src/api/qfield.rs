//! `/qfield`: the QField plugin, which the operator puts beside the relay.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::Api;
use super::error::{ApiError, ErrorResponse};

/// Maximum size of the file, in bytes.
const MAX_FILE: u64 = 32 * 1024 * 1024;

/// The QField plugin, as a ZIP file.
///
/// Available if the operator has put the file beside the relay.
#[utoipa::path(get, path = "/qfield", tag = "instance", responses(
    (status = 200, content_type = "application/zip", description = "The plugin"),
    (status = 404, body = ErrorResponse, description = "This relay has no QField plugin"),
))]
pub(super) async fn qfield(State(api): State<Arc<Api>>) -> Result<impl IntoResponse, ApiError> {
    let read = tokio::task::spawn_blocking(move || read_plugin(&api.qfield_file)).await;
    match read {
        Ok(Ok(zip)) => Ok((
            [
                (header::CONTENT_TYPE, "application/zip"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"qfield-plugin.zip\""),
            ],
            zip,
        )),
        Ok(Err(error)) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, "reading the QField plugin failed");
            }
            let text = "this relay has no QField plugin; get it from the project of the plugin, gischat-qfield";
            Err(ApiError::NotFound(text.to_owned()))
        }
        Err(_) => Err(ApiError::Unavailable("the QField plugin could not be read".to_owned())),
    }
}

fn read_plugin(path: &Path) -> io::Result<Vec<u8>> {
    let (mut zip, file) = (Vec::new(), std::fs::File::open(path)?);
    file.take(MAX_FILE + 1).read_to_end(&mut zip)?;
    if zip.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!("the file is larger than {MAX_FILE} bytes")));
    }
    Ok(zip)
}

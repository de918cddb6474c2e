//! The description of all calls, for programs at `/openapi.json` and for people at `/docs`.

use axum::Router;
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{operations, rooms};

#[derive(OpenApi)]
#[openapi(
    info(title = "gischat-relay", description = "A moderated chat relay for people who work with maps."),
    paths(
        rooms::names,
        rooms::rules,
        rooms::status,
        rooms::version,
        rooms::users,
        rooms::put_message,
        rooms::websocket,
        operations::healthz,
        operations::metrics,
    ),
    tags(
        (name = "rooms", description = "Who is there, and what is said"),
        (name = "instance", description = "What the instance says of itself"),
        (name = "operation", description = "For those who run it"),
    ),
)]
struct Description;

pub(super) fn router() -> Router {
    // Swagger's own page would have an outside service check the description, and so tell it who reads it.
    let config = Config::new(["/openapi.json"]).validator_url("none");
    SwaggerUi::new("/docs").url("/openapi.json", Description::openapi()).config(config).into()
}

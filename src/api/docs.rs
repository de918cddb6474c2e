//! The `OpenAPI` description of all calls at `/openapi.json`, and Swagger UI at `/docs`.
//!
//! Each handler describes itself, and the routers collect the descriptions. The responses that all moderator calls share
//! are added here.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema as _};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::error::ErrorResponse;
use crate::auth::Scope;

/// The name of the security scheme of moderator tokens.
const MODERATOR: &str = "moderator";

#[derive(OpenApi)]
#[openapi(
    info(title = "gischat-relay", description = "A moderated chat relay for people who work with maps."),
    tags(
        (name = "rooms", description = "Chat rooms and messages"),
        (name = "instance", description = "About the instance"),
        (name = "operation", description = "For operators"),
        (name = "moderation", description = "For moderators; each call requires a token"),
    ),
    modifiers(&BearerTokenScheme),
)]
struct ApiDoc;

/// Describes how moderators authenticate.
struct BearerTokenScheme;

impl Modify for BearerTokenScheme {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A moderator token; a relay without any configured prints one at the start"));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme(MODERATOR, SecurityScheme::Http(bearer.build()));
    }
}

/// Returns the description without any call.
pub(super) fn description() -> utoipa::openapi::OpenApi {
    ApiDoc::openapi()
}

/// Describes calls that require a moderator token with `scope`.
pub(super) fn require_scope(paths: &mut Paths, scope: Scope) {
    let scope = scope.as_str();
    let responses = [
        (StatusCode::UNAUTHORIZED, "No valid moderator token".to_owned()),
        (
            StatusCode::FORBIDDEN,
            format!("The token lacks the scope `{scope}`, or is limited to rooms that the call does not stay within"),
        ),
        (StatusCode::TOO_MANY_REQUESTS, "Too many wrong tokens; see `Retry-After`".to_owned()),
    ];
    for operation in paths.paths.values_mut().flat_map(operations) {
        operation.security = Some(vec![SecurityRequirement::new(MODERATOR, [scope])]);
        for (status, description) in &responses {
            let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(ErrorResponse::name()))).build();
            let response = ResponseBuilder::new().description(description).content("application/json", body).build();
            operation.responses.responses.insert(status.as_str().to_owned(), response.into());
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// Returns the routes of a description and of Swagger UI.
pub(super) fn router(description: utoipa::openapi::OpenApi) -> Router {
    // Without this, Swagger UI sends the address of the description to an external validator.
    let config = Config::new(["/openapi.json"]).validator_url("none");
    let pages: Router = SwaggerUi::new("/docs").url("/openapi.json", description).config(config).into();
    // The former backend has a second page of the same description.
    pages.route("/redoc", get(async || Redirect::permanent("/docs/")))
}

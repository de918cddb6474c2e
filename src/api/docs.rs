//! The OpenAPI description of all calls at `/openapi.json`, and Swagger UI at `/docs`.

use axum::Router;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{moderation, operations, rooms, rules};

#[derive(OpenApi)]
#[openapi(
    info(title = "gischat-relay", description = "A moderated chat relay for people who work with maps."),
    paths(
        rooms::room_names,
        rules::rules,
        rooms::status,
        rooms::version,
        rooms::users,
        rooms::put_message,
        rooms::websocket,
        operations::healthz,
        operations::metrics,
        moderation::try_out::try_out,
        moderation::what_if::what_if,
        moderation::decisions::decisions,
        moderation::decisions::stream,
        moderation::stats::stats,
        moderation::held::list,
        moderation::held::release,
        moderation::held::refuse,
        moderation::sanctions::list,
        moderation::sanctions::impose,
        moderation::sanctions::lift,
        moderation::members::members,
        moderation::members::kick,
        moderation::members::trust,
        moderation::members::distrust,
        moderation::members::delete_message,
        moderation::level::levels,
        moderation::level::set_level,
        moderation::level::preset,
        moderation::level::set_preset,
        moderation::undo::undo,
        moderation::filters::filters,
        moderation::reload::reload,
        moderation::feed::feed,
    ),
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
        components.add_security_scheme("moderator", SecurityScheme::Http(bearer.build()));
    }
}

pub(super) fn router() -> Router {
    // Without this, Swagger UI sends the address of the description to an external validator.
    let config = Config::new(["/openapi.json"]).validator_url("none");
    SwaggerUi::new("/docs").url("/openapi.json", ApiDoc::openapi()).config(config).into()
}

//! The description of all calls, for programs at `/openapi.json` and for people at `/docs`.

use axum::Router;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{moderation, operations, rooms, rules};

#[derive(OpenApi)]
#[openapi(
    info(title = "gischat-relay", description = "A moderated chat relay for people who work with maps."),
    paths(
        rooms::names,
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
        moderation::members::forget,
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
        (name = "rooms", description = "Who is there, and what is said"),
        (name = "instance", description = "What the instance says of itself"),
        (name = "operation", description = "For those who run it"),
        (name = "moderation", description = "For moderators, each with a token of their own"),
    ),
    modifiers(&Tokens),
)]
struct Description;

/// How moderators say who they are.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of MODERATORS, or the one that a relay without any prints when it starts"));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("moderator", SecurityScheme::Http(bearer.build()));
    }
}

pub(super) fn router() -> Router {
    // Swagger's own page would have an outside service check the description, and so tell it who reads it.
    let config = Config::new(["/openapi.json"]).validator_url("none");
    SwaggerUi::new("/docs").url("/openapi.json", Description::openapi()).config(config).into()
}

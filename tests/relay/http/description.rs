//! The `OpenAPI` description, Swagger UI and the chat page.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Relay, Response, request};

/// All calls.
const CALLS: [&str; 45] = [
    "delete /moderation/rooms/{room}/last/{message_id}",
    "delete /moderation/sanctions/{id}",
    "delete /moderation/trusted",
    "get /channel/{channel}/last",
    "get /channel/{channel}/users",
    "get /channel/{channel}/ws",
    "get /channels",
    "get /healthz",
    "get /metrics",
    "get /moderation/decisions",
    "get /moderation/decisions/stream",
    "get /moderation/feed",
    "get /moderation/filters",
    "get /moderation/held",
    "get /moderation/held/{id}",
    "get /moderation/level",
    "get /moderation/preset",
    "get /moderation/rooms/{room}/members",
    "get /moderation/sanctions",
    "get /moderation/stats",
    "get /qfield",
    "get /room/{room}/last",
    "get /room/{room}/users",
    "get /room/{room}/ws",
    "get /rooms",
    "get /rules",
    "get /status",
    "get /version",
    "post /moderation/breakers/reset",
    "post /moderation/held/refuse",
    "post /moderation/held/release",
    "post /moderation/held/{id}/refuse",
    "post /moderation/held/{id}/release",
    "post /moderation/members/{id}/kick",
    "post /moderation/reload",
    "post /moderation/sanctions",
    "post /moderation/trusted",
    "post /moderation/try",
    "post /moderation/undo",
    "post /moderation/whatif",
    "put /channel/{channel}/text",
    "put /moderation/level",
    "put /moderation/preset",
    "put /room/{room}/message",
    "put /room/{room}/text",
];

/// The files that a page or a script refers to.
fn loaded_by(page: &str) -> Vec<&str> {
    let starts = ["src=\"", "href=\"", " from \""].into_iter().flat_map(|attribute| {
        page.match_indices(attribute).map(move |(at, attribute)| at + attribute.len()).collect::<Vec<_>>()
    });
    let values = starts.filter_map(|start| page.get(start..)?.split('"').next());
    values.filter(|value| !value.starts_with('#') && !value.starts_with("data:")).collect()
}

/// Gets all files that a page at `base` loads, which must come from the relay.
async fn get_all(relay: &Relay, base: &str, page: &str) -> Vec<(String, Response)> {
    let mut files = Vec::new();
    for file in loaded_by(page) {
        assert!(!file.contains("//"), "{file} is external");
        let path =
            if file.starts_with('/') { file.to_owned() } else { format!("{base}{}", file.trim_start_matches("./")) };
        let answer = relay.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {:?}", answer.headers);
        files.push((path, answer));
    }
    files
}

fn content_type(answer: &Response) -> &str {
    answer.header("Content-Type").unwrap_or_default()
}

#[tokio::test]
async fn the_description_lists_every_call_and_no_other() {
    let relay = Relay::start().await;
    let answer = relay.get("/openapi.json").await;
    assert_eq!((answer.status, content_type(&answer)), (200, "application/json"));
    let description = answer.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3."), "{}", description["openapi"]);
    assert_eq!(description["info"]["title"], "gischat-relay");
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    let paths = description["paths"].as_object().unwrap();
    let listed = paths
        .iter()
        .flat_map(|(path, calls)| calls.as_object().unwrap().keys().map(move |method| format!("{method} {path}")));
    assert_eq!(listed.collect::<BTreeSet<_>>(), CALLS.map(str::to_owned).into());
}

#[tokio::test]
async fn every_documented_call_answers_with_a_documented_status() {
    let relay = Relay::start().await;
    let description = relay.get("/openapi.json").await.json();
    for (path, calls) in description["paths"].as_object().unwrap() {
        for (method, call) in calls.as_object().unwrap() {
            let address = path.replace("{room}", "QGIS").replace("{channel}", "QGIS");
            // The keys of all generations.
            let body = if method == "put" { r#"{"message":"hi","text":"hi","author":"jane"}"# } else { "" };
            let answer = request(relay.address(), &method.to_uppercase(), &address, &[], body).await;
            // There is no plugin for QField in the directory.
            assert_eq!(answer.status == 404, path == "/qfield", "{method} {path}");
            let described = &call["responses"][answer.status.to_string()];
            assert!(described.is_object(), "{method} {path} answers {}", answer.status);
            let Some(content) = described["content"].as_object() else { continue };
            let (media_type, body) = content.iter().next().unwrap();
            assert!(content_type(&answer).starts_with(media_type), "{method} {path}: {:?}", answer.headers);
            if media_type == "application/json" {
                assert_fits(&description, &body["schema"], &answer.json());
            }
        }
    }
}

/// Asserts that a value has the type of its schema and, if it is an object, all required keys and no undocumented
/// ones.
fn assert_fits(description: &Value, schema: &Value, value: &Value) {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.strip_prefix('#').unwrap();
        return assert_fits(description, description.pointer(pointer).unwrap(), value);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let fits = types.iter().any(|name| match *name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("unexpected type {other}"),
    });
    assert!(fits, "{value} is none of {types:?}");
    match value {
        Value::Object(object) => {
            let described = schema["properties"].as_object().unwrap();
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let own: BTreeSet<&str> = object.keys().map(String::as_str).collect();
            assert!(required.collect::<BTreeSet<_>>().is_subset(&own), "{value} against {schema}");
            assert!(own.iter().all(|key| described.contains_key(*key)), "{value} against {schema}");
            object.iter().for_each(|(key, value)| assert_fits(description, &described[key], value));
        }
        Value::Array(items) => items.iter().for_each(|item| assert_fits(description, &schema["items"], item)),
        _ => {}
    }
}

#[tokio::test]
async fn swagger_ui_is_served_with_all_files_that_it_loads() {
    let relay = Relay::start().await;
    let docs = relay.get("/docs").await;
    assert!(matches!(docs.status, 301..=308), "{docs:?}");
    let page = relay.get(docs.header("Location").unwrap()).await;
    assert_eq!(page.status, 200);
    assert!(content_type(&page).starts_with("text/html"), "{:?}", page.headers);
    let files = get_all(&relay, "/docs/", &page.body).await;
    let has = |suffix: &str, kind: &str| {
        files.iter().any(|(path, file)| {
            let plain = path.split('?').next().unwrap_or_default();
            plain.ends_with(suffix) && content_type(file).contains(kind) && !file.body.is_empty()
        })
    };
    assert!(
        has(".js", "javascript") && has(".css", "text/css"),
        "{:?}",
        files.iter().map(|f| &f.0).collect::<Vec<_>>()
    );
    assert!(files.iter().any(|(_, file)| file.body.contains("/openapi.json")), "the pages do not name the description");
}

#[tokio::test]
async fn the_chat_page_loads_its_own_files_and_nothing_else() {
    let relay = Relay::start().await;
    let page = relay.get("/").await;
    assert_eq!((page.status, content_type(&page)), (200, "text/html; charset=utf-8"));
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!page.body.contains("<style") && !page.body.contains(" onclick="), "the policy forbids that");
    assert_eq!(page.header("X-Content-Type-Options"), Some("nosniff"));

    let mut files = get_all(&relay, "/", &page.body).await;
    let script = files.iter().find(|(path, _)| path == "/chat.js").map(|(_, file)| file.body.clone()).unwrap();
    files.extend(get_all(&relay, "/", &script).await);
    let kind_of = |name: &str| files.iter().find(|(path, _)| path == name).map(|(_, file)| content_type(file));
    assert_eq!(kind_of("/chat.js"), Some("text/javascript; charset=utf-8"));
    assert_eq!(kind_of("/relay.js"), Some("text/javascript; charset=utf-8"));
    assert_eq!(kind_of("/chat.css"), Some("text/css; charset=utf-8"));
}

#[tokio::test]
async fn swagger_ui_uses_no_external_validator() {
    let relay = Relay::start().await;
    let script = relay.get("/docs/swagger-initializer.js").await;
    assert!(script.body.contains("\"validatorUrl\": \"none\""), "{}", script.body);
}

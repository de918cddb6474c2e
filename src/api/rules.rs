//! `/rules`: the description of the instance, and the rules of conduct that it enforces automatically.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use crate::filter::rules;

/// The description of the instance.
#[derive(Clone, Debug)]
pub struct InstanceInfo {
    /// The rules of conduct, one a line.
    pub rules: String,
    /// The main language, as a code such as `en`.
    pub main_lang: String,
    /// Shortest nickname, in characters.
    pub min_author_length: usize,
    /// Longest nickname, in characters.
    pub max_author_length: usize,
    /// Longest text, in Unicode code points.
    pub max_message_length: usize,
    /// Longest side of an image, in pixels.
    pub max_image_size: u32,
    /// Most features of a layer.
    pub max_geojson_features: usize,
}

/// The description of the instance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rules)]
pub(super) struct RulesResponse {
    /// The rules of conduct, one a line.
    #[schema(example = "Be kind and nice to this wonderful world")]
    rules: String,
    /// The main language, as a code such as `en`.
    #[schema(example = "en")]
    main_lang: String,
    /// Shortest nickname, in characters.
    #[schema(example = 3)]
    min_author_length: usize,
    /// Longest nickname, in characters.
    #[schema(example = 32)]
    max_author_length: usize,
    /// Longest text, in Unicode code points.
    #[schema(example = 255)]
    max_message_length: usize,
    /// Longest side of an image, in pixels. Larger images are shrunk.
    #[schema(example = 800)]
    max_image_size: u32,
    /// Most features of a layer.
    #[schema(example = 500)]
    max_geojson_features: usize,
    /// Lines of `rules` that are enforced automatically at present, in their order.
    enforced: Vec<EnforcedClauseJson>,
}

/// A line of the rules of conduct that is enforced automatically.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct EnforcedClauseJson {
    #[schema(example = "No advertising")]
    clause: String,
    /// The ids of the rules that enforce it.
    #[schema(example = json!(["no-casino"]))]
    rules: Vec<String>,
}

/// Rules of conduct and message limits.
#[utoipa::path(get, path = "/rules", tag = "instance", responses((status = 200, body = RulesResponse)))]
pub(super) async fn rules(State(api): State<Arc<Api>>) -> Json<RulesResponse> {
    let instance = (*api.instance.get()).clone();
    let InstanceInfo {
        rules,
        main_lang,
        min_author_length,
        max_author_length,
        max_message_length,
        max_image_size,
        max_geojson_features,
    } = instance;
    let enforced = api.rules_reload.rules().map_or_else(Vec::new, |set| enforced_clauses(&rules, &set));
    Json(RulesResponse {
        rules,
        main_lang,
        min_author_length,
        max_author_length,
        max_message_length,
        max_image_size,
        max_geojson_features,
        enforced,
    })
}

/// Returns the lines of `conduct` that a rule set enforces, in their order.
fn enforced_clauses(conduct: &str, set: &rules::RuleSet) -> Vec<EnforcedClauseJson> {
    let mut clauses: Vec<EnforcedClauseJson> = Vec::new();
    for clause in conduct.lines().map(str::trim) {
        let rules: Vec<String> =
            set.enforced_clauses().filter(|&(kept, _)| kept == clause).map(|(_, id)| id.to_owned()).collect();
        if !rules.is_empty() && clauses.iter().all(|listed| listed.clause != clause) {
            clauses.push(EnforcedClauseJson { clause: clause.to_owned(), rules });
        }
    }
    clauses
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn enforced_clauses_are_listed_once_in_the_order_of_the_rules_of_conduct() {
        let conduct = "Be kind\n  Speak of maps \nNo advertising\n\nBe kind";
        let rule = |id: &str, more: &str| format!("[[rule]]\nid = '{id}'\nwords = ['x']\n{more}\n");
        let text = [
            rule("ads", "clause = 'No advertising'\nverdict = 'reject'"),
            rule("watch", "clause = 'Speak of maps'\nverdict = 'reject'\nmode = 'observe'"),
            rule("note", "clause = 'Speak of maps'\nverdict = 'label'"),
            rule("own", "verdict = 'reject'"),
            rule("kind", "clause = 'Be kind'\nverdict = 'replace'"),
            rule("ads-too", "clause = 'No advertising'\nverdict = 'shadow'"),
        ];
        let instance = rules::RulesContext { clauses: conduct.to_owned(), ..rules::RulesContext::default() };
        let set = rules::RuleSet::load(Path::new("rules.toml"), &text.concat(), Path::new(""), &instance).unwrap();
        let clause = |clause: &str, rules: &[&str]| EnforcedClauseJson {
            clause: clause.to_owned(),
            rules: rules.iter().map(|&id| id.to_owned()).collect(),
        };
        assert_eq!(
            enforced_clauses(conduct, &set),
            [clause("Be kind", &["kind"]), clause("No advertising", &["ads", "ads-too"])]
        );
    }
}

//! What the instance says of itself, and which of its rules keep themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use crate::filter::rules;

/// What the instance says of itself.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The rules of conduct, one a line.
    pub rules: String,
    /// The main language, such as `en`.
    pub main_lang: String,
    /// Shortest nickname, in characters.
    pub min_author_length: usize,
    /// Longest nickname, in characters.
    pub max_author_length: usize,
    /// Longest text, in Unicode code points.
    pub max_message_length: usize,
}

/// What the instance says of itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rules)]
pub(super) struct Told {
    /// The rules of conduct, one a line.
    #[schema(example = "Be kind and nice to this wonderful world")]
    rules: String,
    /// The main language, such as `en`.
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
    /// Lines of `rules` that the relay enforces by itself now, in their order.
    enforced: Vec<Clause>,
}

/// A line of the rules of conduct that the relay enforces by itself.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Clause {
    #[schema(example = "No advertising")]
    clause: String,
    /// The ids of the rules that do so.
    #[schema(example = json!(["no-casino"]))]
    rules: Vec<String>,
}

/// Rules of the instance and bounds of a message.
#[utoipa::path(get, path = "/rules", tag = "instance", responses((status = 200, body = Told)))]
pub(super) async fn rules(State(api): State<Arc<Api>>) -> Json<Told> {
    let told = (*api.rules.get()).clone();
    let Rules { rules, main_lang, min_author_length, max_author_length, max_message_length } = told;
    let enforced = api.rules_reload.rules().map_or_else(Vec::new, |set| enforced(&rules, &set));
    Json(Told { rules, main_lang, min_author_length, max_author_length, max_message_length, enforced })
}

/// The clauses that a set of rules enforces, in the order of the lines of `conduct`.
fn enforced(conduct: &str, set: &rules::Rules) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    for clause in conduct.lines().map(str::trim) {
        let rules: Vec<String> =
            set.enforced().filter(|&(kept, _)| kept == clause).map(|(_, id)| id.to_owned()).collect();
        if !rules.is_empty() && clauses.iter().all(|told| told.clause != clause) {
            clauses.push(Clause { clause: clause.to_owned(), rules });
        }
    }
    clauses
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn clauses_stand_in_the_order_of_the_rules_of_conduct_each_once_with_those_that_act() {
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
        let instance = rules::Instance { clauses: conduct.to_owned(), ..rules::Instance::default() };
        let set = rules::Rules::load(Path::new("rules.toml"), &text.concat(), Path::new(""), &instance).unwrap();
        let clause = |clause: &str, rules: &[&str]| Clause {
            clause: clause.to_owned(),
            rules: rules.iter().map(|&id| id.to_owned()).collect(),
        };
        assert_eq!(
            enforced(conduct, &set),
            [clause("Be kind", &["kind"]), clause("No advertising", &["ads", "ads-too"])]
        );
    }
}

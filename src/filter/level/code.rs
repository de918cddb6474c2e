//! Code that others may run: scripts, processing models, and styles of layers with code in them.

use crate::model::{Content, Message, Reason, ReasonCode, Sender, Verdict};
use crate::names::named;

named! {
    /// What happens to code from a sender that is not trusted.
    pub enum CodePolicy {
        /// It waits for a moderator.
        Hold = "hold",
        /// It is refused.
        Reject = "reject",
        /// It passes.
        Pass = "pass",
    }
}

/// Judges the code that a message carries, if any.
pub(super) fn check(policy: CodePolicy, message: &Message, sender: &Sender) -> Verdict {
    let Some(what) = message.content().and_then(code_in) else { return Verdict::Pass };
    if sender.context.trusted {
        return Verdict::Pass;
    }
    match policy {
        CodePolicy::Pass => Verdict::Pass,
        CodePolicy::Hold => {
            Verdict::Hold(Reason::new(ReasonCode::Held, format!("{what} can contain code, which a moderator reviews")))
        }
        CodePolicy::Reject => {
            let text = format!("{what} can contain code, which is accepted from trusted members only");
            Verdict::Reject(Reason::new(ReasonCode::CodeNotAllowed, text))
        }
    }
}

/// Returns what carries code, if anything does.
fn code_in(content: &Content) -> Option<&'static str> {
    match content {
        Content::Script(_) => Some("a script"),
        Content::Model(_) => Some("a processing model"),
        Content::GeoJson(layer) => {
            layer.style.as_deref().is_some_and(has_code).then_some("a layer style with actions or form code")
        }
        Content::Image(_) | Content::Crs(_) | Content::Bbox(_) | Content::Position(_) => None,
    }
}

/// Whether a style in QGIS's format (QML) may run code: it has actions, forms that are loaded or run code, or widgets made
/// of QML or HTML.
///
/// Errs on the side of code: a style that QGIS would not write counts as code.
fn has_code(style: &str) -> bool {
    const CODE_SOURCE: &str = "editforminitcodesource";
    // Entities could hide markup. QGIS writes none.
    const SUSPICIOUS: [&str; 4] =
        ["actionsetting", "<!ENTITY", "attributeEditorQmlElement", "attributeEditorHtmlElement"];
    if SUSPICIOUS.iter().any(|part| style.contains(part)) {
        return true;
    }
    // QGIS imports what `editforminit` names if it has a dot, whatever the source of the code.
    if has_content(style, "editforminit") || has_content(style, "editform") {
        return true;
    }
    // Every style has this element, and 0 says that there is no code.
    style.match_indices(CODE_SOURCE).any(|(at, _)| {
        let (before, after) =
            (style.get(..at).unwrap_or_default(), style.get(at + CODE_SOURCE.len()..).unwrap_or_default());
        let opens = before.ends_with('<') && after.starts_with(">0</editforminitcodesource>");
        let is_empty = before.ends_with('<') && after.starts_with("/>");
        let closes = before.ends_with(">0</") && after.starts_with('>');
        !(opens || is_empty || closes)
    })
}

/// Whether any element with this name may have content. QGIS writes `.` for no form.
fn has_content(style: &str, name: &str) -> bool {
    style.match_indices(name).any(|(at, _)| {
        let before = style.get(..at).unwrap_or_default();
        let after = style.get(at + name.len()..).unwrap_or_default();
        // Otherwise it is the name of another element, or the end of this one.
        let continues = after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
        let is_element = before.ends_with('<') && !continues;
        let Some((attributes, rest)) = after.split_once('>').filter(|_| is_element) else { return is_element };
        let is_empty = rest.strip_prefix('.').unwrap_or(rest).trim_start().starts_with(&format!("</{name}>"));
        !(attributes.ends_with('/') || is_empty)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fixtures::sender;
    use crate::model::{Crs, Layer, MessageKind, Outcome, Script};

    const PLAIN: &str = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'><qgis><editforminit/>\
        <editforminitcodesource>0</editforminitcodesource><editforminitcode><![CDATA[# -*- coding -*-]]>\
        </editforminitcode></qgis>";

    fn shared(content: Content) -> Message {
        Message::new("jane", MessageKind::Content { avatar: None, content: Arc::new(content) })
    }

    fn layer(style: &str) -> Message {
        shared(Content::GeoJson(Layer {
            name: "parcels".to_owned(),
            crs: Crs::default(),
            geojson: "{}".to_owned(),
            features: 0,
            bounds: None,
            style: Some(style.to_owned()),
        }))
    }

    fn outcome(policy: CodePolicy, message: &Message, is_trusted: bool) -> Outcome {
        let mut sender = sender();
        sender.context.trusted = is_trusted;
        check(policy, message, &sender).outcome()
    }

    #[test]
    fn the_policy_applies_to_senders_that_are_not_trusted() {
        let script = shared(Content::Script(Script { name: "x".to_owned(), code: String::new() }));
        for (policy, expected) in [
            (CodePolicy::Hold, Outcome::Hold),
            (CodePolicy::Reject, Outcome::Reject),
            (CodePolicy::Pass, Outcome::Pass),
        ] {
            assert_eq!(outcome(policy, &script, false), expected);
            assert_eq!(outcome(policy, &script, true), Outcome::Pass);
        }
    }

    #[test]
    fn a_style_without_code_passes() {
        for style in [
            "",
            PLAIN,
            "<qgis><editforminitcodesource/></qgis>",
            "<qgis><editform tolerant=\"1\"></editform><editforminit></editforminit></qgis>",
            "<qgis><editform>.</editform><editformlayout>generatedlayout</editformlayout></qgis>",
        ] {
            assert_eq!(outcome(CodePolicy::Hold, &layer(style), false), Outcome::Pass, "{style}");
        }
    }

    #[test]
    fn a_style_with_actions_or_form_code_is_code() {
        for style in [
            PLAIN.replace(">0</", ">2</"),
            PLAIN
                .replace("<editforminit/>", "<editforminit>os import system\nsystem('x')\nfrom os.path</editforminit>"),
            PLAIN.replace("<editforminit/>", "<editforminit >os.system</editforminit>"),
            PLAIN.replace("<editforminit/>", "<editforminit"),
            "<qgis><editform tolerant='1'>http://example.org/x.ui</editform></qgis>".to_owned(),
            "<qgis><attributeEditorQmlElement name='x'>import QtQuick 2.0</attributeEditorQmlElement></qgis>"
                .to_owned(),
            PLAIN.replace(">0</", "> 1 </"),
            PLAIN.replace("<editforminitcodesource>", "<editforminitcodesource x=''>1"),
            "<attributeactions><actionsetting type='1' action='import os'/></attributeactions>".to_owned(),
            "<!DOCTYPE qgis [<!ENTITY x '<a/>'>]><qgis>&x;</qgis>".to_owned(),
        ] {
            assert_eq!(outcome(CodePolicy::Hold, &layer(&style), false), Outcome::Hold, "{style}");
        }
    }
}

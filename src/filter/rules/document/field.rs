//! The part of a message that a rule checks.

use super::RuleKind;
use crate::names::named;

named! {
    /// The part of a message that a rule checks.
    #[derive(Default)]
    pub(in crate::filter::rules) enum Field {
        /// The text of a chat line or a like.
        #[default]
        Text = "text",
        /// The nickname.
        Nickname = "nickname",
        /// The name of a layer.
        LayerName = "layer_name",
        /// Names and values of the properties of a layer's features.
        Properties = "properties",
        /// Name, group and source of a processing model.
        Model = "model",
        /// Name and code of a script.
        Script = "script",
        /// Every text that a message carries, except the nickname.
        Any = "any",
    }
}

impl Field {
    /// Whether messages of this kind have this field.
    pub(in crate::filter::rules) fn is_in(self, kind: RuleKind) -> bool {
        match self {
            Self::Nickname => true,
            Self::Text => matches!(kind, RuleKind::Text | RuleKind::Like),
            Self::LayerName | Self::Properties => kind == RuleKind::GeoJson,
            Self::Model => kind == RuleKind::Model,
            Self::Script => kind == RuleKind::Script,
            Self::Any => kind != RuleKind::Image,
        }
    }

    /// Whether it is found in contents, and not only in texts.
    pub(in crate::filter::rules) fn is_in_contents(self) -> bool {
        !matches!(self, Self::Text | Self::Nickname)
    }
}

/// One value for each field.
#[derive(Debug, Default)]
pub(in crate::filter::rules) struct ByField<T>([T; Field::ALL.len()]);

impl<T> ByField<T> {
    pub(in crate::filter::rules) fn get(&self, field: Field) -> &T {
        let [text, nickname, layer_name, properties, model, script, any] = &self.0;
        match field {
            Field::Text => text,
            Field::Nickname => nickname,
            Field::LayerName => layer_name,
            Field::Properties => properties,
            Field::Model => model,
            Field::Script => script,
            Field::Any => any,
        }
    }

    pub(in crate::filter::rules) fn get_mut(&mut self, field: Field) -> &mut T {
        let [text, nickname, layer_name, properties, model, script, any] = &mut self.0;
        match field {
            Field::Text => text,
            Field::Nickname => nickname,
            Field::LayerName => layer_name,
            Field::Properties => properties,
            Field::Model => model,
            Field::Script => script,
            Field::Any => any,
        }
    }

    pub(in crate::filter::rules) fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    pub(in crate::filter::rules) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }

    pub(in crate::filter::rules) fn map<U>(self, each: impl FnMut(T) -> U) -> ByField<U> {
        ByField(self.0.map(each))
    }
}

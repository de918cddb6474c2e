//! Loads rules files into a set.

use std::path::Path;

use super::compile::{RuleCompiler, RuleFile};
use super::document::{self};
use super::{RuleSet, RulesContext, files, starter};
use crate::settings::{ConfigError, FileErrors, Located};

impl RuleSet {
    /// Loads the rules file at `path`; see [`RuleSet::load`]. Words files are relative to its folder.
    ///
    /// # Errors
    /// As for [`RuleSet::load`], and if the file cannot be read.
    pub fn load_file(path: &Path, instance: &RulesContext) -> Result<Self, Vec<ConfigError>> {
        match files::read_text(path) {
            Ok(text) => Self::load(path, &text, path.parent().unwrap_or(Path::new("")), instance),
            Err(error) => Err(vec![ConfigError::in_file(path, error)]),
        }
    }

    /// Compiles the rules in `text`, and the starter rules that run by its preset and modes.
    ///
    /// `path` is shown in errors and matches; it is not opened. Each `words_file` must lie in the folder `base` or
    /// below.
    ///
    /// Blocks: it reads words files, and compiling the largest sets may take a second.
    ///
    /// # Errors
    /// All errors of the file, in order of lines. After a TOML syntax error, later rules are not checked.
    pub fn load(path: &Path, text: &str, base: &Path, instance: &RulesContext) -> Result<Self, Vec<ConfigError>> {
        Self::load_with_extra(path, text, base, instance, ("", ""))
    }

    /// Like [`RuleSet::load`], with extra rules before those of the file. `extra` is a name and a text in the format,
    /// and with the limits, of a rules file. Its rules replace rules with the same id, and its `[starter]` overrides
    /// that of the file. A `words_file` is an error there, since the text is untrusted.
    ///
    /// # Errors
    /// As for [`RuleSet::load`]; the errors of `extra` come first.
    pub fn load_with_extra(
        path: &Path,
        text: &str,
        base: &Path,
        instance: &RulesContext,
        extra: (&str, &str),
    ) -> Result<Self, Vec<ConfigError>> {
        let (extra_path, no_folder) = (Path::new(extra.0), Path::new(""));
        let mut all = [extra_path, path, Path::new(starter::FILE_NAME)].map(FileErrors::new);
        let [extra_errors, errors, starter_errors] = &mut all;
        let mut first = document::parse(extra.1, extra_errors);
        for rule in &mut first.rules {
            if let Some(Located { line, .. }) = rule.patterns.words_file.take() {
                extra_errors.add(line, format!("{}: `words_file` is not allowed here; use `words`", rule.name));
            }
            for place in rule.places.drain(..) {
                let text = format!("{}: `{}` is not allowed here, as it names a file", rule.name, place.side.key());
                extra_errors.add(place.file.line, text);
            }
        }
        let mut file = document::parse(text, errors);
        let mut compiler = RuleCompiler::new(instance);
        compiler.add_file(&RuleFile { path: extra_path, base: no_folder }, first.rules, extra_errors);
        file.rules.retain(|rule| rule.id.as_ref().is_none_or(|id| !compiler.has_rule(&id.value)));
        compiler.add_file(&RuleFile { path, base }, file.rules, errors);
        let own_count = compiler.len();

        let file_preset = file.starter.preset;
        let preset = first.starter.preset.or(file_preset).unwrap_or(instance.preset);
        starter::check_modes(&first.starter.modes, extra_errors);
        starter::check_modes(&file.starter.modes, errors);
        let mut modes = file.starter.modes;
        modes.extend(first.starter.modes);
        let starter = starter::select(preset, &modes, |id| compiler.has_rule(id));
        compiler.add_file(&RuleFile { path: Path::new(starter::FILE_NAME), base: no_folder }, starter, starter_errors);

        let rules = compiler.finish(&mut all);
        let errors: Vec<ConfigError> =
            all.into_iter().filter_map(|errors| errors.into_result().err()).flatten().collect();
        if errors.is_empty() { Ok(Self { preset, file_preset, own_count, ..rules }) } else { Err(errors) }
    }
}

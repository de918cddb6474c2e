//! The starter rules.

use super::*;

#[test]
fn the_starter_rules_load_with_their_cases_in_every_preset() {
    for preset in Preset::ALL {
        let rules = RuleSet::load(Path::new("rules.toml"), "", Path::new(""), &instance(preset));
        let rules = rules.unwrap_or_else(|errors| panic!("{preset}: {errors:#?}"));
        assert_eq!((rules.is_empty(), rules.own_count()), (preset == Preset::Off, 0), "{preset}");
        let acts = rules.stats().filter(|rule| rule.mode == Mode::Enforce).count();
        assert_eq!(
            acts,
            match preset {
                Preset::Off | Preset::Open => 0,
                Preset::Balanced => 2,
                Preset::Strict => rules.len(),
            },
            "{preset}"
        );
    }
}

#[test]
fn the_rules_file_sets_the_preset_and_the_modes_of_single_starter_rules() {
    let text = "[starter]\npreset = 'open'\nmodes = { raid = 'enforce', shouting = 'off' }\n\
                [[rule]]\nid = 'zalgo'\nmarks = 9\nverdict = 'shadow'";
    let rules = load(text).unwrap();
    let figures = |id: &str| rules.stats().find(|rule| rule.id == id).map(|rule| (rule.mode, rule.source));
    assert_eq!(rules.preset(), Preset::Open);
    assert_eq!(figures("raid").unwrap().0, Mode::Enforce);
    assert_eq!(figures("shouting"), None);
    assert_eq!(figures("flooding").unwrap().0, Mode::Observe);
    assert_eq!(figures("zalgo"), Some((Mode::Enforce, "rules.toml:4")), "the operator's rule replaces it");
    assert_eq!(rules.stats().next().unwrap().id, "zalgo", "the operator's rules come first");
}

#[test]
fn similar_map_talk_is_flooding_only_with_the_strict_preset() {
    let series: [fn(u32) -> String; 6] = [
        |n| format!("https://github.com/qgis/QGIS/issues/{}", 51_230 + n),
        |n| format!("layer_{n:02}.shp is ready"),
        |n| format!("try EPSG:{} instead of the other", 2_154 + n),
        |n| format!("Tile 12/{n}/4 is missing"),
        |n| format!("my point is at {}.85 N 2.35 E", 40 + n),
        |n| format!("parcelle section A numéro {n}"),
    ];
    let last = |preset, texts: &dyn Fn(u32) -> String| {
        let rules = RuleSet::load(Path::new("rules.toml"), "", Path::new(""), &instance(preset)).unwrap();
        let scenario = Scenario::new();
        (0..8).map(|n| scenario.say(&rules, &texts(n)).finding.verdict.outcome()).last().unwrap()
    };
    for (number, texts) in series.iter().enumerate() {
        assert_eq!(last(Preset::Balanced, texts), Outcome::Pass, "series {number}");
    }
    assert_eq!(last(Preset::Strict, &series[2]), Outcome::Reject);
    assert_eq!(last(Preset::Balanced, &|_| "buy my maps now".to_owned()), Outcome::Reject);
}

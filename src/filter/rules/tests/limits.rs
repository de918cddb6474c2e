//! Limits of rules files: the limit itself is accepted, and one more is an error.

use super::*;

#[test]
fn one_more_than_a_limit_of_a_file_is_an_error() {
    let rule = |n: usize| format!("[[rule]]\nid = 'r{n}'\nwords = ['x']\nverdict = 'label'\n");
    let file: String = (0..1_000).map(rule).collect();
    assert_eq!(load(&file).unwrap().len(), 1_000);
    assert_eq!(load(&(file + &rule(1_000))).unwrap_err(), ["rules.toml:4001: more than 1000 rules"]);

    let words = |n: usize| {
        let list: Vec<String> = (0..n).map(|n| format!("'w{n}'")).collect();
        format!("[[rule]]\nid = 'a'\nwords = [{}]\nverdict = 'label'\n", list.join(","))
    };
    assert!(load(&words(10_000)).is_ok());
    assert_eq!(load(&words(10_001)).unwrap_err(), ["rules.toml:3: more than 10000 patterns and words"]);

    let filler = |bytes: usize| "#".repeat(bytes);
    assert!(load(&filler(MAX_RULES_FILE_BYTES)).is_ok());
    assert_eq!(load(&filler(MAX_RULES_FILE_BYTES + 1)).unwrap_err(), ["rules.toml: is larger than 1048576 bytes"]);
}

#[test]
fn one_more_than_a_limit_of_a_rule_is_an_error() {
    let rule = |line: String| load(&format!("[[rule]]\nid = 'a'\nverdict = 'label'\n{line}\n"));
    assert!(rule(format!("any = ['{}']", "a".repeat(1_000))).is_ok());
    let shown = "a".repeat(60);
    assert_eq!(
        rule(format!("any = ['{}']", "a".repeat(1_001))).unwrap_err(),
        [format!("rules.toml:4: rule `a`: pattern `{shown}…` is 1001 bytes; the limit is 1000")]
    );
    assert_eq!(
        rule(format!("words = ['{}']", "a".repeat(1_001))).unwrap_err(),
        [format!("rules.toml:4: rule `a`: word `{shown}…` is 1001 bytes; the limit is 1000")]
    );
    assert!(rule(format!("words = ['x']\nreason = '{}'", "é".repeat(300))).is_ok());
    assert_eq!(
        rule(format!("words = ['x']\nreason = '{}'", "é".repeat(301))).unwrap_err(),
        ["rules.toml:5: rule `a`: `reason` has 301 characters; the limit is 300"]
    );
}

#[test]
fn a_too_large_words_file_is_an_error_at_the_line_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("words.txt"), "a\n".repeat(MAX_RULES_FILE_BYTES)).unwrap();
    let text = "[[rule]]\nid = 'a'\nwords_file = 'words.txt'\nverdict = 'reject'";
    let errors = RuleSet::load(Path::new("rules.toml"), text, folder.path(), &instance(Preset::Off)).unwrap_err();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, ["rules.toml:3: rule `a`: `words_file` `words.txt` is larger than 1048576 bytes"]);
}

#[test]
fn the_words_of_starter_rules_do_not_count() {
    let words: Vec<String> = (0..10_000).map(|n| format!("'w{n}'")).collect();
    let text = format!("[[rule]]\nid = 'a'\nwords = [{}]\nverdict = 'label'\n", words.join(","));
    assert!(RuleSet::load(Path::new("rules.toml"), &text, Path::new(""), &instance(Preset::Strict)).is_ok());
}

#[test]
fn there_are_at_most_500_regular_expressions() {
    let file = |n: usize| {
        let list: Vec<String> = (0..n).map(|n| format!("'word{n}x+'")).collect();
        format!("[[rule]]\nid = 'a'\nany = [{}]\nverdict = 'label'\n", list.join(","))
    };
    assert!(load(&file(500)).is_ok());
    assert_eq!(
        load(&file(501)).unwrap_err(),
        ["rules.toml:3: more than 500 regular expressions; use `words` where possible"]
    );
}

#[test]
fn a_rule_has_at_most_16_patterns_in_all_and_none() {
    let file = |all: usize, none: usize| {
        let list = |n: usize| (0..n).map(|n| format!("'word{n}'")).collect::<Vec<_>>().join(",");
        format!(
            "[[rule]]\nid = 'a'\nwords = ['x']\nall = [{}]\nnone = [{}]\nverdict = 'label'\n",
            list(all),
            list(none)
        )
    };
    assert!(load(&file(8, 8)).is_ok());
    assert_eq!(
        load(&file(8, 9)).unwrap_err(),
        ["rules.toml:5: rule `a`: `all` and `none` have more than 16 patterns; combine them with `|`"]
    );
}

#[test]
fn cases_have_limits() {
    let rule = |cases: &[String]| {
        let list: Vec<String> = cases.iter().map(|case| format!("'{case}'")).collect();
        load(&format!("[[rule]]\nid = 'a'\nwords = ['x']\nverdict = 'label'\naccepts = [{}]\n", list.join(",")))
    };
    assert!(rule(&vec!["map".to_owned(); 1_000]).is_ok());
    assert_eq!(rule(&vec!["map".to_owned(); 1_001]).unwrap_err(), ["rules.toml:5: rule `a`: has more than 1000 cases"]);
    assert!(rule(&["a".repeat(4_000)]).is_ok());
    assert_eq!(
        rule(&["a".repeat(4_001)]).unwrap_err(),
        ["rules.toml:5: rule `a`: a case is 4001 bytes; the limit is 4000"]
    );
}

#[test]
fn rules_that_do_not_act_run_at_most_128_regular_expressions_on_a_message() {
    // Each rule has a regex that the text triggers but does not match.
    let rule =
        |n: usize| format!("[[rule]]\nid = 'r{n}'\nany = ['free \\w*{n}z']\nmode = 'observe'\nverdict = 'reject'\n");
    let last = "[[rule]]\nid = 'last'\nany = ['free maps']\nmode = 'observe'\nverdict = 'reject'\n";
    let seen = |before: usize| {
        let rules = load(&((0..before).map(rule).collect::<String>() + last)).unwrap();
        let finding = examine(&rules, "free maps");
        assert_eq!(finding.verdict, Verdict::Pass, "rules that do not act never reject");
        let skipped = rules.stats().find(|rule| rule.id == "last").unwrap().skipped;
        (finding.matches.len(), skipped)
    };
    assert_eq!(seen(127), (1, 0));
    assert_eq!(seen(128), (0, 1));
}

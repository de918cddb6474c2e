use super::super::BoundedRegex;
use proptest::prelude::*;

fn required(pattern: &str) -> Vec<String> {
    let mut found = BoundedRegex::new(pattern).unwrap().required().unwrap_or_default().to_vec();
    found.sort_unstable();
    found
}

fn letters(pattern: &str) -> Vec<String> {
    let mut found = BoundedRegex::new(pattern).unwrap().required_letters().unwrap_or_default().to_vec();
    found.sort_unstable();
    found
}

#[test]
fn literals_are_found_wherever_they_stand() {
    for (pattern, wanted) in [
        ("viagra", &["viagra"][..]),
        (r"\bviagra\b", &["viagra"]),
        (r"\w+casino\d*", &["casino"]),
        (r"https?://\S+\.ru\b", &["http://", "https://"]),
        (r"(buy|get)\s+followers", &["followers"]),
        (r"\b(?:free|cheap)\s+(?:coins|gold)\b", &["cheap", "free"]),
        (r"(?:free|cheap)coins", &["cheapcoins", "freecoins"]),
        (r"colou?r", &["color", "colour"]),
        (r"(foo)+bar", &["foobar"]),
        (r"x(foo){3}y", &["xfoofoofooy"]),
        (r"(?:ab){2,}", &["abab"]),
        (r"[fv]ree", &["free", "vree"]),
        (r"GRÜẞE", &["grüsse"]),
        (r"ΣΑΣ\w", &["σασ"]),
        (r"(?-i)Stop", &["stop"]),
        (r"(?:alpha|alphabet)", &["alpha"]),
        (r"(?i:abc)|(?:def.*)", &["abc", "def"]),
        (r"t\.me/\w+", &["t.me/"]),
        (r"a.{3}bcde", &["bcde"]),
    ] {
        assert_eq!(required(pattern), wanted, "{pattern}");
    }
}

#[test]
fn no_literal_is_required_if_a_match_can_lack_it() {
    for pattern in
        [r"\d{4,}", r"\w+", "a|bcdef", "(spam)?x", "ab", r"\+?\d[\d ]{7,}", "[a-z]{3}", "(viagra)*a", "x{0,3}yz", "."]
    {
        assert_eq!(required(pattern), [""; 0], "{pattern}");
    }
}

#[test]
fn letter_literals_are_parts_of_longer_ones() {
    assert_eq!(letters(r"t\.me/joinchat\d"), ["joinchat"]);
    assert_eq!(letters("a1b2"), [""; 0]);
    assert_eq!(letters(r"(buy|get) coins"), ["coins"]);
    assert_eq!(
        letters("free-coins|cheap_gold"),
        ["coins", "cheap"].map(str::to_owned).into_iter().rev().collect::<Vec<_>>()
    );
}

#[test]
fn many_and_long_literals_stay_within_bounds() {
    let letters = || ('a'..='z').chain('а'..='п').chain('α'..='ρ');
    let many = letters().map(|c| format!("{c}word")).chain(Some("wort".to_owned())).collect::<Vec<_>>().join("|");
    assert_eq!(required(&many), [""; 0]);
    assert_eq!(required(&format!("({many}) tail")), [" tail"]);
    for literal in required(&"a".repeat(900)).iter().chain(&required(&format!("(?:{}|x)tail", "b".repeat(500)))) {
        assert!(literal.len() <= 960, "{literal}");
    }
}

/// A small regex that can also generate matches, boundaries aside.
#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Class(Vec<char>),
    Any,
    Boundary(bool),
    Group(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, u32, Option<u32>),
}

impl Node {
    fn pattern(&self) -> String {
        let all = |nodes: &[Node]| nodes.iter().map(Node::pattern).collect::<Vec<_>>();
        match self {
            Node::Text(text) => regex::escape(text),
            Node::Class(chars) => {
                format!("[{}]", chars.iter().map(|c| regex::escape(&c.to_string())).collect::<String>())
            }
            Node::Any => ".".to_owned(),
            Node::Boundary(inside) => if *inside { r"\B" } else { r"\b" }.to_owned(),
            Node::Group(nodes) => format!("({})", all(nodes).concat()),
            Node::Either(nodes) => format!("(?:{})", all(nodes).join("|")),
            Node::Repeat(node, min, max) => {
                format!("(?:{}){{{min},{}}}", node.pattern(), max.map(|max| max.to_string()).unwrap_or_default())
            }
        }
    }

    fn text(&self, choices: &mut impl Iterator<Item = u8>, out: &mut String) {
        let mut choose = |n: usize| usize::from(choices.next().unwrap_or(0)) % n.max(1);
        match self {
            Node::Text(text) => match choose(3) {
                0 => out.push_str(text),
                1 => out.push_str(&text.to_uppercase()),
                _ => out.push_str(&text.to_lowercase()),
            },
            Node::Class(chars) => out.push(chars[choose(chars.len())]),
            Node::Any => out.push(['a', 'ß', ' ', '1'][choose(4)]),
            Node::Boundary(_) => {}
            Node::Group(nodes) => nodes.iter().for_each(|node| node.text(choices, out)),
            Node::Either(nodes) => {
                let chosen = choose(nodes.len());
                nodes[chosen].text(choices, out);
            }
            Node::Repeat(node, min, max) => {
                let times = *min as usize + choose(max.map_or(4, |max| (max - min) as usize + 1));
                (0..times).for_each(|_| node.text(choices, out));
            }
        }
    }
}

fn nodes() -> impl Strategy<Value = Node> {
    let letters = "[abcKkſsßẞσςΣéİıiI1. /-]";
    let leaf = prop_oneof![
        4 => proptest::string::string_regex(&format!("{letters}{{1,5}}")).unwrap().prop_map(Node::Text),
        1 => proptest::collection::vec(proptest::sample::select("abcKſsßσςéİıI1. ".chars().collect::<Vec<_>>()), 1..4).prop_map(Node::Class),
        1 => Just(Node::Any),
        1 => any::<bool>().prop_map(Node::Boundary),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 1..5).prop_map(Node::Group),
            2 => proptest::collection::vec(inner.clone(), 1..4).prop_map(Node::Either),
            2 => (inner, 0..4_u32, proptest::option::of(0..3_u32))
                .prop_map(|(node, min, more)| Node::Repeat(Box::new(node), min, more.map(|more| min + more))),
        ]
    })
}

fn fold(text: &str) -> String {
    text.chars().flat_map(super::fold).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn matches_are_those_of_the_plain_regex_and_each_has_one_of_the_literals(node in nodes(), choices in proptest::collection::vec(any::<u8>(), 0..64), around in "[a é🗺-]{0,2}") {
        let Ok(regex) = BoundedRegex::new(&node.pattern()) else { return Ok(()) };
        let mut text = around.clone();
        node.text(&mut choices.into_iter(), &mut text);
        text.push_str(&around);
        let plain = regex::RegexBuilder::new(&node.pattern()).case_insensitive(true).build().unwrap();
        let expected: Vec<_> = plain.find_iter(&text).map(|hit| hit.range()).collect();
        prop_assert_eq!(regex.find_iter(&text).collect::<Vec<_>>(), expected);
        // Only the match itself, without the text around it.
        for hit in regex.find_iter(&text) {
            let folded = fold(&text[hit]);
            for set in [regex.required(), regex.required_letters()].into_iter().flatten() {
                prop_assert!(set.len() <= 32 && set.iter().all(|literal| literal.chars().count() >= 3), "{set:?}");
                prop_assert!(set.iter().any(|literal| folded.contains(literal.as_str())), "{regex:?} {folded:?}");
            }
            for literal in regex.required_letters().into_iter().flatten() {
                prop_assert!(literal.chars().all(char::is_alphabetic), "{literal}");
            }
        }
    }
}

//! The cost of searching a message for the literals of rules: building the forms of the text, and the search. `cargo
//! bench` prints the mean and the 99th percentile for each language and number of literals.

// Setup failures may panic.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gischat_relay::matching::{Boundary, Leniency, Literal, Literals, View, Views};

#[path = "../tests/matching/dice.rs"]
mod dice;

use dice::Dice;

/// Harmless messages, each of about 110 bytes.
const MESSAGES: [(&str, [&str; 4]); 8] = [
    (
        "en",
        [
            "Has anybody tried the new layer of parcels in EPSG:2154 with your vector tiles? Mine draws far too slowly.",
            "I cannot open roads_2024.gpkg in the field, it says the file is locked. Any idea what might hold it open?",
            "Thanks, that worked! The trick was to set the scale to 1:25000 before exporting the atlas to a PDF file.",
            "Good morning, is there a plugin that joins points to the nearest river segment and keeps the attributes?",
        ],
    ),
    (
        "fr",
        [
            "Bonjour à tous, quelqu'un a-t-il déjà chargé le cadastre de la Drôme dans QField sans perdre les étiquettes ?",
            "Merci beaucoup, ça marche très bien maintenant, il fallait juste réparer les géométries avant la jointure.",
            "Où trouver les limites des communes après la fusion de l'année dernière, en Lambert 93 si possible ?",
            "J'ai créé une couche de sentiers près de Besançon, le relevé a été fait à pied pendant l'été dernier.",
        ],
    ),
    (
        "de",
        [
            "Guten Morgen, weiß jemand, wie man die Höhenlinien für Tübingen aus dem Geländemodell schöner glättet?",
            "Die Straße fehlt in den amtlichen Daten völlig, ich habe sie gestern mit dem Fahrrad selbst aufgenommen.",
            "Danke für den Hinweis, es lag tatsächlich am Koordinatensystem, jetzt passen die Flurstücke überein.",
            "Kann man in QField mehrere Fotos zu einem Punkt hinzufügen, ohne dass die Größe verändert wird?",
        ],
    ),
    (
        "es",
        [
            "Buenos días, ¿alguien sabe cómo añadir la ortofoto de España más reciente como capa de fondo en el móvil?",
            "Muchas gracias, ya funciona: había que cambiar la codificación de los atributos antes de la exportación.",
            "La línea del ferrocarril está desplazada unos metros hacia el oeste, ¿será por la transformación elegida?",
            "He creado un pequeño guión que calcula el área de cada parcela según su pendiente y la añade a la tabla.",
        ],
    ),
    (
        "it",
        [
            "Buongiorno, qualcuno ha già provato a caricare la carta tecnica della città di Trento dentro al progetto?",
            "Grazie mille, adesso funziona perfettamente, bastava soltanto ricostruire l'indice spaziale dello strato.",
            "Perché il raster diventa così scuro quando cambio la proiezione? È forse un problema di valori nulli?",
            "Ho rilevato i sentieri attorno al lago, la precisione non è molta ma per la mappa turistica basterà.",
        ],
    ),
    (
        "ru",
        [
            "Привет, Москва! Кто-нибудь загружал границы районов в проект?",
            "Спасибо большое, теперь всё работает, дело было в проекции.",
            "Где можно найти рельеф для Кавказа с шагом десять метров?",
            "Добавил новые тропы возле озера, проверьте их, пожалуйста.",
        ],
    ),
    (
        "el",
        [
            "Καλημέρα, ξέρει κανείς πού θα βρω τα όρια των δήμων της Κρήτης;",
            "Ευχαριστώ πολύ, τώρα δουλεύει, έφταιγε το σύστημα αναφοράς.",
            "Πρόσθεσα τα μονοπάτια γύρω από τη λίμνη, δείτε τα όταν μπορείτε.",
            "Γιατί ο χάρτης ανοίγει τόσο αργά στο κινητό μου σήμερα;",
        ],
    ),
    (
        "ja",
        [
            "おはようございます、新しい地図のレイヤーを誰か試しましたか？",
            "ありがとうございます、座標系を直したら正しく表示されました。",
            "QGISで等高線を滑らかにする方法を教えてください、急ぎません。",
            "湖のまわりの登山道を追加しました、あとで確認をお願いします。",
        ],
    ),
];

/// Generates `count` artificial words of five to ten letters.
fn words(count: usize) -> Vec<String> {
    let mut dice = Dice::new(7);
    let alphabets = [("bcdfghjklmnprstvwz", "aeiou"), ("бвгджзклмнпрстфхцчш", "аеиоуы")];
    let word = |dice: &mut Dice| {
        let (consonants, vowels) = alphabets[usize::from(dice.percent(10))];
        let letters = |list: &str| list.chars().collect::<Vec<_>>();
        let (consonants, vowels) = (letters(consonants), letters(vowels));
        (0..5 + dice.below(6)).map(|n| *dice.pick(if n % 2 == 0 { &consonants } else { &vowels })).collect()
    };
    (0..count).map(|_| word(&mut dice)).collect()
}

/// Generates `count` literals: three quarters words, a tenth phrases, the rest required literals of regexes.
fn literals(count: usize) -> (Literals, Vec<String>) {
    let words = words(count * 2);
    let texts: Vec<String> = (0..count)
        .map(|n| if n % 10 == 0 { format!("{} {}", words[n], words[count + n]) } else { words[n].clone() })
        .collect();
    let literal = |(n, text): (usize, &'_ String)| -> (View, Boundary, String) {
        let is_required = n % 20 == 3 || n % 10 == 7;
        let (view, boundary) =
            if is_required { (View::CaseFolded, Boundary::Anywhere) } else { (View::Clean, Boundary::Word) };
        (view, boundary, text.clone())
    };
    let owned: Vec<_> = texts.iter().enumerate().map(literal).collect();
    let leniency = Leniency::default();
    let list = owned.iter().map(|(view, boundary, text)| Literal { text, view: *view, boundary: *boundary, leniency });
    (Literals::new(list).unwrap(), texts)
}

fn search(literals: &Literals, views: &mut Views, text: &str) -> usize {
    views.read(text);
    let mut hits = 0;
    literals.scan(text, views, |_, _| {
        hits += 1;
        ControlFlow::Continue(())
    });
    hits
}

/// Adversarial texts of 255 code points.
fn adversarial(words: &[String]) -> Vec<(&'static str, String)> {
    let cut = |text: String| text.chars().take(255).collect::<String>();
    let repeated = |part: &str| cut(part.repeat(256));
    let all: String = words.iter().flat_map(|word| [word, " "]).collect();
    let glued: String = words.iter().map(String::as_str).collect();
    let doubled: String = all.chars().flat_map(|c| if c == ' ' { vec![c] } else { vec![c, c] }).collect();
    let scripts: String = words
        .iter()
        .flat_map(|word| word.chars().enumerate())
        .map(|(n, c)| {
            if n % 2 == 0 {
                c
            } else if c == 'a' {
                'а'
            } else {
                'о'
            }
        })
        .collect();
    let spaced: String = all.chars().flat_map(|c| [c, ' ']).collect();
    let masked: String = words.iter().flat_map(|word| word.chars().take(4).chain("* ".chars())).collect();
    vec![
        ("words", cut(all.clone())),
        ("words without spaces", cut(glued)),
        ("words with doubled letters", cut(doubled)),
        ("words of mixed scripts", cut(scripts)),
        ("spaced-out words", cut(spaced)),
        ("words with masks", cut(masked)),
        ("combining marks", repeated("\u{301}")),
        ("a letter and many marks", cut(format!("e{}", "\u{301}\u{323}".repeat(200)))),
        ("decomposed accents", repeated("e\u{301}")),
        ("one letter", repeated("i")),
        ("ligatures", repeated("\u{fdfa}")),
        ("jamo", repeated("\u{1112}\u{1161}\u{11ab}")),
        ("flags", repeated("🇩🇪")),
        ("alternating scripts", repeated("aаαa ")),
        ("Cyrillic that looks Latin", cut(format!("abc {}", "сосос ".repeat(60)))),
        ("single letters", repeated("a ")),
        ("stars", repeated("a*")),
    ]
}

/// Returns the median and the 99th percentile of many searches. Nanoseconds.
fn percentiles(literals: &Literals, texts: &[&str]) -> (u128, u128) {
    let mut views = Views::default();
    let mut times = Vec::new();
    for round in 0..60 {
        for text in texts {
            let start = Instant::now();
            black_box(search(literals, &mut views, black_box(text)));
            let took = start.elapsed().as_nanos();
            if round > 5 {
                times.push(took);
            }
        }
    }
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn costs(criterion: &mut Criterion) {
    let (thousand, texts) = literals(1_000);
    let all: Vec<&str> = MESSAGES.iter().flat_map(|(_, messages)| *messages).collect();
    for (name, messages) in MESSAGES {
        let (median, p99) = percentiles(&thousand, &messages);
        println!("{name}: median {median} ns, p99 {p99} ns");
    }
    let (median, p99) = percentiles(&thousand, &all);
    println!("all: median {median} ns, p99 {p99} ns");
    for (name, text) in adversarial(&texts) {
        let (median, p99) = percentiles(&thousand, &[&text]);
        println!("adversarial, {name}: median {median} ns, p99 {p99} ns");
    }
    for count in [100, 1_000, 10_000] {
        let start = Instant::now();
        let (literals, _) = literals(count);
        let built = start.elapsed();
        let (median, p99) = percentiles(&literals, &all);
        println!("{count} literals: median {median} ns, p99 {p99} ns, built in {built:?}");
    }

    let mut views = Views::default();
    let mut group = criterion.benchmark_group("read and scan, 1000 literals");
    for (name, messages) in MESSAGES {
        group.bench_function(name, |b| {
            let mut turns = messages.iter().cycle();
            b.iter(|| search(&thousand, &mut views, black_box(turns.next().unwrap())));
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("read and scan, all languages");
    for count in [100, 1_000, 10_000] {
        let (literals, _) = literals(count);
        group.bench_with_input(BenchmarkId::from_parameter(count), &literals, |b, literals| {
            let mut turns = all.iter().cycle();
            b.iter(|| search(literals, &mut views, black_box(turns.next().unwrap())));
        });
    }
    group.finish();
    criterion.bench_function("read alone, all languages", |b| {
        let mut turns = all.iter().cycle();
        b.iter(|| views.read(black_box(turns.next().unwrap())));
    });
}

criterion_group!(benches, costs);
criterion_main!(benches);

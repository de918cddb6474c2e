//! Executes the command in a message or in its settings: everything that a plugin should not do.

use std::hint::black_box;

use gischat_filter::regex::Pattern;
use gischat_filter::{Filter, Message, Sanction, Sender, Verdict, clock, export, log, room, store};

#[derive(serde::Deserialize, Default)]
#[serde(default)]
pub struct Settings {
    /// The command to execute in `configure`.
    configure: String,
}

pub struct Hostile;

impl Filter for Hostile {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        match settings.configure.as_str() {
            "" => Ok(Self),
            "refuse" => Err("I do not like these settings".to_owned()),
            "refuse-in-lines" => Err("I do not like\nthese settings\r\n".to_owned()),
            other => {
                let (command, argument) = other.split_once(' ').unwrap_or((other, ""));
                let _ = execute(command, argument);
                Ok(Self)
            }
        }
    }

    fn check(&mut self, message: &Message, sender: &Sender) -> Verdict {
        let (command, argument) = message.text.split_once(' ').unwrap_or((&message.text, ""));
        if command == "tell" {
            return Verdict::reject(tell(argument, message, sender));
        }
        execute(command, argument)
    }
}

fn execute(command: &str, argument: &str) -> Verdict {
    let number = || argument.split(' ').next().unwrap_or_default().parse().unwrap_or(0_u64);
    match command {
        "reject" => Verdict::reject(argument),
        "replace" => Verdict::replace(argument),
        "hold" => Verdict::hold().reason(argument),
        "shadow" => Verdict::shadow().reason(argument),
        "label" => Verdict::pass().label(argument),
        "mute" => Verdict::reject("quiet").sanction(Sanction::mute(number())),
        "sanction" => Verdict::pass().sanction(Sanction { kind: argument.to_owned(), seconds: 1 }),
        "loop" => loop {
            black_box(());
        },
        "loop-in-the-host" => loop {
            black_box(clock::now());
        },
        "spin" => {
            // A few nanoseconds per turn.
            for turn in 0..number() {
                black_box(turn);
            }
            Verdict::pass()
        }
        "bomb" => {
            let mut memory: Vec<Vec<u8>> = Vec::new();
            loop {
                memory.push(black_box(vec![1; 1024 * 1024]));
            }
        }
        "fill" => {
            let mut memory: Vec<Vec<u8>> = Vec::new();
            let mut mebibyte = Vec::new();
            while mebibyte.try_reserve_exact(1024 * 1024).is_ok() {
                memory.push(black_box(std::mem::take(&mut mebibyte)));
            }
            let count = memory.len();
            // Make room for the answer.
            drop(memory);
            Verdict::reject(count.to_string())
        }
        "fill-at-once" => {
            // One instruction.
            let mut memory = vec![0_u8; usize::try_from(number()).unwrap_or(0) * 1024 * 1024];
            black_box(&mut memory).fill(1);
            black_box(memory);
            Verdict::reject("filled")
        }
        "recurse" => {
            black_box(recurse(1));
            Verdict::pass()
        }
        "panic" => panic!("as I was told"),
        "trap" => trap(),
        "long-reason" => Verdict::reject("x".repeat(usize::try_from(number()).unwrap_or(0))),
        "long-text" => Verdict::replace("x".repeat(usize::try_from(number()).unwrap_or(0))),
        "labels" => (0..number()).fold(Verdict::pass(), |verdict, n| verdict.label(format!("label {n}"))),
        "no-utf-8" => Verdict::reject(invalid_utf_8()),
        "log" => {
            (0..number()).for_each(|n| log::info(format!("line {n}")));
            Verdict::pass()
        }
        "store" => {
            (0..number()).for_each(|n| store::set(&format!("key {n}"), vec![0; 10_000], 3_600));
            Verdict::pass()
        }
        "count" => Verdict::reject(store::add(argument, 1, 60).to_string()),
        "patterns" => {
            let kept: Vec<_> = (0..number()).map(|n| Pattern::compile(&format!("x{n}"))).collect();
            Verdict::reject(kept.len().to_string())
        }
        "search-groups" => {
            let expression = "(a|b)".repeat(usize::try_from(number()).unwrap_or(0));
            match Pattern::compile(&expression) {
                Ok(pattern) => Verdict::reject(pattern.is_match(&"ab".repeat(1_000)).to_string()),
                Err(error) => Verdict::reject(error),
            }
        }
        "big-pattern" => match Pattern::compile(r"\w{1000}{1000}") {
            Ok(_) => Verdict::pass(),
            Err(error) => Verdict::reject(error.lines().last().unwrap_or_default()),
        },
        "grow-text" => Verdict::replace(match Pattern::compile("x") {
            Ok(pattern) => pattern.replace_all(&"x".repeat(10_000), &"y".repeat(10_000)),
            Err(error) => error,
        }),
        _ => Verdict::pass(),
    }
}

/// Returns what the plugin knows about a topic.
fn tell(topic: &str, message: &Message, sender: &Sender) -> String {
    match topic.split(' ').next().unwrap_or_default() {
        "room" => format!("{} {} {:?}", message.room, room::members(), room::names()),
        "sender" => format!(
            "{} {} {} {} {}",
            sender.connection.is_some(),
            sender.registered,
            sender.accepted,
            sender.refused,
            sender.trusted
        ),
        "address" => sender.address.clone(),
        "folded" => message.folded.clone(),
        "time" => (clock::now() == message.at).to_string(),
        _ => String::new(),
    }
}

#[expect(unconditional_recursion, reason = "this is its purpose")]
fn recurse(depth: u64) -> u64 {
    black_box([depth; 64]);
    recurse(depth + 1) + 1
}

#[cfg(target_arch = "wasm32")]
fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(not(target_arch = "wasm32"))]
fn trap() -> ! {
    std::process::abort()
}

fn invalid_utf_8() -> String {
    // Invalid on purpose: the relay must not trust a guest.
    unsafe { String::from_utf8_unchecked(vec![0xff, 0xfe, 0x80]) }
}

export!(Hostile);

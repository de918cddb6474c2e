//! The same filter as in `../python` and `../javascript`. Uses every feature of the contract.

use gischat_filter::regex::Pattern;
use gischat_filter::{Filter, Hook, Message, Sanction, Sender, Verdict, clock, export, room, store};

#[derive(serde::Deserialize)]
pub struct Settings {
    words: Vec<String>,
    most: i64,
    closes: u64,
    settles: u64,
    crowd: u32,
    reserved: Vec<String>,
}

pub struct Same {
    settings: Settings,
    words: Pattern,
    addresses: Pattern,
    mentions: Pattern,
}

impl Filter for Same {
    type Settings = Settings;

    const KINDS: &'static [&'static str] = &["text", "like"];
    const HOOKS: &'static [Hook] = &[Hook::Check, Hook::CheckNickname];

    fn configure(settings: Settings) -> Result<Self, String> {
        let words = format!(r"\b(?:{})\b", settings.words.join("|").to_lowercase());
        Ok(Self {
            words: Pattern::compile(&words)?,
            addresses: Pattern::compile(r"\b(\w)\w*@(\w+\.\w+)")?,
            mentions: Pattern::compile(r"@\w+")?,
            settings,
        })
    }

    fn check(&mut self, message: &Message, sender: &Sender) -> Verdict {
        if sender.trusted {
            return Verdict::pass().label("trusted");
        }
        if let Some(found) = self.words.find(&message.folded) {
            let reason = format!("“{}” is no word for {}.", found.of(&message.folded), message.room);
            return Verdict::reject(reason).label("word").sanction(Sanction::mute(60));
        }
        let hour = clock::now() / 3_600_000 % 24;
        if hour >= self.settings.closes {
            return Verdict::hold().reason(format!("It is {hour} o'clock."));
        }
        let settled = sender.seconds_connected >= self.settings.settles && sender.refused == 0;
        if message.text.contains("https://") && !sender.registered && sender.accepted == 0 && !settled {
            return Verdict::shadow().label("newcomer");
        }
        if self.addresses.is_match(&message.text) {
            return Verdict::replace(self.addresses.replace_all(&message.text, "${1}…@$2")).label("address");
        }
        let text = self.without_mentions_of_nobody(&message.text);
        if text != message.text {
            return Verdict::replace(text).label("mention");
        }
        self.again(message, sender).unwrap_or_else(|| {
            let crowd = room::members() >= self.settings.crowd;
            if crowd { Verdict::pass().label("crowd") } else { Verdict::pass() }
        })
    }

    fn check_nickname(&mut self, nickname: &str, room: &str, sender: &Sender) -> Verdict {
        let reserved = self.settings.reserved.iter().any(|reserved| reserved == nickname);
        if reserved && !sender.trusted {
            return Verdict::reject(format!("Nobody is {nickname} of {room}."));
        }
        Verdict::pass()
    }
}

impl Same {
    /// The verdict on a text that this address has just sent.
    fn again(&self, message: &Message, sender: &Sender) -> Option<Verdict> {
        let last = format!("last {}", sender.address);
        let is_again = store::get(&last).is_some_and(|last| last == message.folded.as_bytes());
        store::set(&last, &message.folded, 60);
        if !is_again {
            return None;
        }
        let times = store::add(&format!("times {} {}", sender.address, message.folded), 1, 60) + 1;
        Some(if times > self.settings.most {
            Verdict::reject(format!("This was said {times} times.")).label("again")
        } else {
            Verdict::pass().label("again")
        })
    }

    fn without_mentions_of_nobody(&self, text: &str) -> String {
        let names = room::names();
        let points: Vec<char> = text.chars().collect();
        let (mut clear, mut end) = (String::new(), 0);
        for span in self.mentions.find_all(text) {
            let (start, name) = (span.start as usize, span.of(text).trim_start_matches('@'));
            clear.extend(&points[end..start]);
            if names.iter().any(|known| known == name) {
                clear.push('@');
            }
            clear.push_str(name);
            end = span.end as usize;
        }
        clear.extend(&points[end..]);
        clear
    }
}

export!(Same);

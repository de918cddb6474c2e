//! Checks only nicknames. Refuses any message that it is called with.

use gischat_filter::{Filter, Hook, Message, NoSettings, Sender, Verdict, export};

pub struct Nicknames;

impl Filter for Nicknames {
    type Settings = NoSettings;

    const HOOKS: &'static [Hook] = &[Hook::CheckNickname];

    fn configure(_: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn check(&mut self, _: &Message, _: &Sender) -> Verdict {
        Verdict::reject("I did not ask for messages")
    }

    fn check_nickname(&mut self, nickname: &str, room: &str, _: &Sender) -> Verdict {
        match nickname {
            "boss" => Verdict::reject(format!("nobody is {nickname} of {room}")),
            "replace" => Verdict::replace("another"),
            _ => Verdict::pass(),
        }
    }
}

export!(Nicknames);

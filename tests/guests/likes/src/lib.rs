//! Checks only likes, with their payload. A like of `tell` is refused with the payload as the reason.

use gischat_filter::{Filter, Message, NoSettings, Sender, Verdict, export};

pub struct Likes;

impl Filter for Likes {
    type Settings = NoSettings;

    const KINDS: &'static [&'static str] = &["like"];
    const PAYLOAD: bool = true;

    fn configure(_: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn check(&mut self, message: &Message, _: &Sender) -> Verdict {
        match &message.payload {
            Some(payload) if message.text == "tell" => Verdict::reject(payload),
            Some(_) => Verdict::pass(),
            None => Verdict::reject("there is no payload"),
        }
    }
}

export!(Likes);

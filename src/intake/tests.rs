use std::time::Instant;

use uuid::Uuid;

use super::*;
use crate::model::{ConnectionId, Nickname};
use crate::moderation::{self, State};
use crate::store;
use crate::wire::Generation;

#[test]
fn a_replaced_message_that_cannot_be_published_keeps_its_original_text() {
    let metrics = Arc::new(Metrics::default());
    let (config, store) = (moderation::Config::default(), store::Config::default());
    let state = Arc::new(State::open(&config, &store, Timestamp::now()).unwrap());
    let (moderation, _events) = ModerationService::new(state, Arc::default(), None, Arc::default(), Instant::now());
    let intake = Intake::new(Chain::from_filters([], &metrics), Arc::new(moderation), Arc::clone(&metrics));
    let name = RoomName::parse("QGIS").unwrap();
    let mut room = Room::new(name.clone(), Arc::default(), metrics.room(&name));
    let (owner, other) = (ConnectionId(1), ConnectionId(2));
    let address = Address::from(std::net::IpAddr::from([192, 0, 2, 7]));
    for id in [owner, other] {
        room.join(id, address, Generation::V1, None, Instant::now());
    }
    // The nickname was registered while a filter judged the message.
    room.register(owner, &Nickname::parse("jane").unwrap()).unwrap();
    let kind = Kind::Text { avatar: None, text: "***".to_owned() };
    let message = Message { id: Uuid::new_v4(), at: Timestamp::now(), author: "jane".to_owned(), kind };
    let (original, decided_by) = (Some("casino".to_owned()), Some("rules"));
    let decision =
        Decision { message, original, outcome: Outcome::Replace, reason: None, decided_by, trace: Vec::new() };
    let sender = Sender { connection: Some(other), address, room: name, context: SenderContext::default() };
    let Submission::Ready(judged) = intake.deliver(&mut room, &sender, decision) else { panic!("nothing to wait for") };
    let Decision { original, outcome, decided_by, .. } = &judged.decision;
    assert_eq!((*outcome, *decided_by), (Outcome::Reject, Some("identity")));
    assert_eq!(original.as_deref(), Some("casino"));
}

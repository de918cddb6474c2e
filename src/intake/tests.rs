use std::time::Instant;

use super::*;
use crate::fixtures::{self, address, decision, message, nickname};
use crate::model::ConnectionId;
use crate::moderation::{self, State};
use crate::store;
use crate::wire::Generation;

#[test]
fn a_replaced_message_that_cannot_be_published_keeps_its_original_text() {
    let metrics = Arc::new(Metrics::default());
    let (config, store) = (moderation::Config::default(), store::Config::default());
    let state = Arc::new(State::open(&config, &store, Timestamp::now()).unwrap());
    let (moderation, _events) = Moderation::new(state, Arc::default(), None, Arc::default(), Instant::now());
    let intake = Intake::new(Chain::from_filters([], &metrics), Arc::new(moderation), Arc::clone(&metrics));
    let name = fixtures::room("QGIS");
    let mut room = Room::new(name.clone(), Arc::default(), metrics.room(&name));
    let (owner, other) = (ConnectionId(1), ConnectionId(2));
    for id in [owner, other] {
        room.join(id, address(1), Generation::V1, None, Instant::now());
    }
    // The nickname was registered while a filter judged the message.
    room.register(owner, &nickname("jane")).unwrap();
    let (original, decided_by) = (Some("casino".to_owned()), Some("rules"));
    let decision = Decision { original, decided_by, ..decision(message("jane", "***"), Outcome::Replace) };
    let sender = Sender { connection: Some(other), ..fixtures::sender() };
    let Submission::Ready(judged) = intake.deliver(&mut room, &sender, decision) else { panic!("nothing to wait for") };
    let Decision { original, outcome, decided_by, .. } = &judged.decision;
    assert_eq!((*outcome, *decided_by), (Outcome::Reject, Some("identity")));
    assert_eq!(original.as_deref(), Some("casino"));
}

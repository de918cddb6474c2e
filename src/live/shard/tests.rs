use tokio::runtime::Handle;

use super::*;
use crate::filter::{Filter, FilterAnswer, Purpose};
use crate::fixtures;
use crate::intake::Intake;
use crate::live;
use crate::live::admission::AddressLimits;
use crate::live::rooms::Rooms;
use crate::model::{GuardedNames, Message, Sender};
use crate::moderation::{self, Moderation, State};
use crate::settings::SettingsSource;
use crate::telemetry::Metrics;
use crate::{store, wire};

/// Answers later, and panics then.
#[derive(Debug)]
struct Panicking;

impl Filter for Panicking {
    fn name(&self) -> &'static str {
        "panicking"
    }

    fn examine(&self, _: &Message, _: &Sender, _: Purpose) -> FilterAnswer {
        FilterAnswer::Pending(Box::pin(async { panic!("as this test wants it") }))
    }
}

/// A relay with the room `QGIS` and this filter.
fn rooms(filter: Box<dyn Filter>) -> Rooms {
    let metrics = Arc::new(Metrics::default());
    let (config, no_file) = (moderation::Config::default(), store::Config::default());
    let state = Arc::new(State::open(&config, &no_file, jiff::Timestamp::now()).unwrap());
    let (moderation, _events) = Moderation::new(state, Arc::default(), None, Arc::default(), Instant::now());
    let intake = Intake::new(Chain::from_filters([filter], &metrics), Arc::new(moderation), Arc::clone(&metrics));
    let mut source = SettingsSource::new();
    let live_config = live::Config::declare(&mut source.root().section("live", ""));
    let wire_config = wire::Config::declare(&mut source.root().section("wire", ""));
    let limits = AddressLimits { max_connections: None, join_rate: None };
    let live = Arc::new(Live::new(live_config, wire_config, intake, metrics, limits, None));
    let runtime = Handle::current();
    Rooms::start(&live, &[fixtures::room("QGIS")], GuardedNames::default(), 1, [&runtime; 2]).unwrap().0
}

#[tokio::test]
async fn a_caller_learns_that_a_filter_panicked() {
    let rooms = rooms(Box::new(Panicking));
    let room = rooms.find("QGIS").unwrap();
    let (sender, message) = (fixtures::sender(), fixtures::message("jane", "hello"));
    let wanted = "the message could not be judged because of an internal error";
    let error = room.submit(sender.clone(), message.clone()).await.expect_err("no decision");
    assert_eq!(error.to_string(), wanted);
    let error = room.try_out(sender, message).await.expect_err("no decision");
    assert_eq!(error.to_string(), wanted);
    rooms.close(CloseCode::GoingAway, "the end of the test").await;
}

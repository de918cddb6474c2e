//! Rooms are added and removed, and the chain that judges their messages is replaced, while the relay runs.

use std::collections::HashSet;

use tokio::sync::oneshot;

use super::{Listed, Place, RoomHandle, Rooms};
use crate::filter::Chain;
use crate::live::shard::inbox::Command;
use crate::live::shard::rooms::RoomKey;
use crate::live::shard::{Ended, new_room};
use crate::model::RoomName;

impl Rooms {
    /// Has exactly these rooms from now on, in this order. A room that is kept stays as it is; a new one goes to the
    /// shard with the fewest; the connections of one that is removed are closed with 1001.
    ///
    /// When this returns, new rooms can be joined and removed ones are empty.
    ///
    /// # Errors
    /// [`Ended`] when the relay is shutting down.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a removed room with its connections in it, which nobody else finds any more.
    pub async fn change(&self, names: &[RoomName]) -> Result<(), Ended> {
        let mut next_key = self.next_key.lock().await;
        let before = self.list();
        let kept: HashSet<&RoomName> = names.iter().filter(|name| before.find(name).is_some()).collect();
        let removed: Vec<RoomHandle> = before.iter().filter(|room| !kept.contains(room.name())).cloned().collect();
        let mut load = vec![0_usize; self.shards.len()];
        for room in before.iter().filter(|room| kept.contains(room.name())) {
            load.get_mut(room.place().shard).into_iter().for_each(|count| *count += 1);
        }
        let mut in_order = Vec::with_capacity(names.len());
        for name in names {
            let room = match before.find(name) {
                Some(room) => room.clone(),
                None => self.open(name, &mut load, &mut next_key).await?,
            };
            in_order.push(room);
        }
        // From here on, a removed room is not found any more.
        self.listed.set(Listed::new(in_order));
        for room in removed {
            room.remove().await?;
            self.metrics.forget_room(room.name());
        }
        Ok(())
    }

    /// Opens a room on the shard with the fewest. Whatever is posted to it later comes behind that.
    async fn open(&self, name: &RoomName, load: &mut [usize], next_key: &mut u64) -> Result<RoomHandle, Ended> {
        let (shard, count) = load.iter_mut().enumerate().min_by_key(|(_, count)| **count).ok_or(Ended)?;
        let inbox = self.shards.get(shard).ok_or(Ended)?;
        let key = RoomKey(*next_key);
        let (room, connections) = new_room(name, &self.metrics);
        inbox.post(Command::Open { room: key, opened: Box::new(room) }).await?;
        *next_key += 1;
        *count += 1;
        tracing::info!(room = %name, "a room was added");
        Ok(RoomHandle::new(name.clone(), inbox.clone(), Place { shard, key }, connections))
    }

    /// Has all shards judge messages to come by this chain. When this returns, they do.
    ///
    /// # Errors
    /// [`Ended`] when the relay is shutting down.
    ///
    /// # Cancel safety
    /// Dropping the future may leave some shards with the chain that they had.
    pub async fn judge_by(&self, chain: &Chain) -> Result<(), Ended> {
        let mut answers = Vec::with_capacity(self.shards.len());
        for shard in &self.shards {
            let (reply, answer) = oneshot::channel();
            shard.post(Command::JudgeBy { chain: chain.clone(), reply }).await?;
            answers.push(answer);
        }
        for answer in answers {
            answer.await.map_err(|_| Ended)?;
        }
        Ok(())
    }
}

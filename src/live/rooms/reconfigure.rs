//! Changes to rooms and to their chain while the relay runs.

use std::collections::HashSet;

use tokio::sync::oneshot;

use super::start::new_room;
use super::{RoomHandle, RoomList, RoomLocation, Rooms};
use crate::filter::Chain;
use crate::live::shard::ShuttingDown;
use crate::live::shard::inbox::ShardCommand;
use crate::live::shard::rooms::RoomKey;
use crate::model::{GuardedNames, RoomName};

impl Rooms {
    /// Replaces the list of rooms. Existing rooms are kept; each new room goes to the shard with the fewest rooms; the
    /// connections of removed rooms are closed with 1001.
    ///
    /// When this returns, new rooms can be joined and removed rooms are empty.
    ///
    /// # Errors
    /// [`ShuttingDown`] when the relay is shutting down.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a removed room with its connections, out of reach.
    pub async fn set_rooms(&self, names: &[RoomName]) -> Result<(), ShuttingDown> {
        let mut next_key = self.next_key.lock().await;
        let before = self.list();
        let kept: HashSet<&RoomName> = names.iter().filter(|name| before.find(name).is_some()).collect();
        let removed: Vec<RoomHandle> = before.iter().filter(|room| !kept.contains(room.name())).cloned().collect();
        let mut load = vec![0_usize; self.shards.len()];
        for room in before.iter().filter(|room| kept.contains(room.name())) {
            load.get_mut(room.location().shard).into_iter().for_each(|count| *count += 1);
        }
        let mut in_order = Vec::with_capacity(names.len());
        for name in names {
            let room = match before.find(name) {
                Some(room) => room.clone(),
                None => self.add_room(name, &mut load, &mut next_key).await?,
            };
            in_order.push(room);
        }
        // From here on, removed rooms cannot be found.
        self.listed.set(RoomList::new(in_order));
        for room in removed {
            room.remove().await?;
            self.metrics.forget_room(room.name());
        }
        Ok(())
    }

    /// Adds a room on the shard with the fewest rooms. The inbox is ordered, so later commands find the room.
    async fn add_room(
        &self,
        name: &RoomName,
        load: &mut [usize],
        next_key: &mut u64,
    ) -> Result<RoomHandle, ShuttingDown> {
        let loads = self.shards.iter().zip(load).enumerate();
        let (shard, (inbox, count)) = loads.min_by_key(|(_, (_, count))| **count).ok_or(ShuttingDown)?;
        let key = RoomKey(*next_key);
        let (room, connections) = new_room(name, &self.metrics, self.last_limits, self.guarded.get());
        inbox.post(ShardCommand::AddRoom { room: key, state: Box::new(room) }).await?;
        *next_key += 1;
        *count += 1;
        tracing::info!(room = %name, "room added");
        Ok(RoomHandle::new(name.clone(), inbox.clone(), RoomLocation { shard, key }, connections))
    }

    /// Replaces the names that not everybody may use. Members that have registered one of them without proving it lose
    /// their nickname.
    ///
    /// # Errors
    /// [`ShuttingDown`] when the relay is shutting down.
    ///
    /// # Cancel safety
    /// Dropping the future may leave some shards with the old names.
    pub async fn set_guarded_names(&self, names: GuardedNames) -> Result<(), ShuttingDown> {
        // No room may be added with the old names.
        let _rooms_stay = self.next_key.lock().await;
        self.guarded.set(names);
        let mut answers = Vec::with_capacity(self.shards.len());
        for shard in &self.shards {
            let (reply, answer) = oneshot::channel();
            shard.post(ShardCommand::SetGuardedNames { names: self.guarded.get(), reply }).await?;
            answers.push(answer);
        }
        for answer in answers {
            answer.await.map_err(|_| ShuttingDown)?;
        }
        Ok(())
    }

    /// Replaces the chain of all shards. When this returns, all new messages are judged by it.
    ///
    /// # Errors
    /// [`ShuttingDown`] when the relay is shutting down.
    ///
    /// # Cancel safety
    /// Dropping the future may leave some shards with the old chain.
    pub async fn set_chain(&self, chain: &Chain) -> Result<(), ShuttingDown> {
        let mut answers = Vec::with_capacity(self.shards.len());
        for shard in &self.shards {
            let (reply, answer) = oneshot::channel();
            shard.post(ShardCommand::SetChain { chain: chain.clone(), reply }).await?;
            answers.push(answer);
        }
        for answer in answers {
            answer.await.map_err(|_| ShuttingDown)?;
        }
        Ok(())
    }
}

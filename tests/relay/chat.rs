//! Messages and presence in a room.

mod messages;
mod presence;
mod rooms;

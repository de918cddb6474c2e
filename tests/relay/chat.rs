//! What people in a room hear of each other.

mod messages;
mod presence;
mod rooms;

//! placeholder
#![allow(missing_docs)]
pub mod config;
pub use config::Config;
use tokio::sync::oneshot;
#[derive(Debug)]
pub struct ImagePool<K>(std::marker::PhantomData<K>);
#[derive(Debug)]
pub struct NormalImage {
    pub data: String,
    pub width: u32,
    pub height: u32,
    pub digest: [u8; 32],
}
#[derive(Debug, thiserror::Error)]
#[error("is bad")]
pub struct ImageError;
#[derive(Debug)]
pub enum PoolFull {
    Sender,
    Queue,
}
impl<K> ImagePool<K> {
    pub fn new(_: &Config) -> Self {
        Self(std::marker::PhantomData)
    }
    pub fn submit(&self, _: K, _: String) -> Result<oneshot::Receiver<Result<NormalImage, ImageError>>, PoolFull> {
        Err(PoolFull::Queue)
    }
}

//! The `build_info` metric.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::info::Info;

use crate::settings::Swap;

/// The version and the environment. The name of the environment may change on a reload.
#[derive(Debug)]
pub(super) struct BuildInfo {
    pub(super) version: String,
    pub(super) environment: Arc<Swap<String>>,
}

impl Collector for BuildInfo {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let info = Info::new(vec![
            ("version".to_owned(), self.version.clone()),
            ("environment".to_owned(), self.environment.get().to_string()),
        ]);
        info.encode(encoder.encode_descriptor(
            "build",
            "Version and environment of this relay",
            None,
            info.metric_type(),
        )?)
    }
}

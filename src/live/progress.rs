//! How much of its request an HTTP connection has received, which decides whether a shutdown waits for the answer.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// Whether the connection has received a request in full.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicBool>);

impl Progress {
    /// Notes a request whose head has arrived, and returns its body, which notes its own end.
    pub(super) fn track(&self, body: Incoming) -> TrackedBody {
        self.set(body.is_end_stream());
        TrackedBody { body, progress: self.clone() }
    }

    /// Notes that the request is answered, whether or not its body was read.
    pub(super) fn answered(&self) {
        self.set(true);
    }

    /// Whether the last request was received in full or answered. `false` before the first.
    pub(super) fn is_received(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, received: bool) {
        self.0.store(received, Ordering::Release);
    }
}

/// The body of a request.
#[derive(Debug)]
pub(super) struct TrackedBody {
    body: Incoming,
    progress: Progress,
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.progress.set(true);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

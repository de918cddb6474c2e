//! The chat page: static files, embedded in the binary.

/// One file as it is served.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Where it is served.
    pub path: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// What it holds.
    pub text: &'static str,
}

/// What a browser may load into the page: its own files, and WebSockets, since an address of another scheme is not
/// `'self'` to every browser.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self' ws: wss:; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// All files.
pub const PAGES: [Page; 4] = [
    Page { path: "/", content_type: "text/html; charset=utf-8", text: include_str!("static/chat.html") },
    Page { path: "/chat.css", content_type: "text/css; charset=utf-8", text: include_str!("static/chat.css") },
    Page { path: "/chat.js", content_type: "text/javascript; charset=utf-8", text: include_str!("static/chat.js") },
    Page { path: "/relay.js", content_type: "text/javascript; charset=utf-8", text: include_str!("static/relay.js") },
];

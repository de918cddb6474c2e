//! The chat page: static files, embedded in the binary.

/// A static file.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The path it is served at.
    pub path: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub text: &'static str,
}

/// Allows the page to load its own files and open WebSockets. WebSockets are listed explicitly, since some browsers do
/// not apply `'self'` to other schemes.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self' ws: wss:; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// All static files.
pub const PAGES: [Page; 4] = [
    Page { path: "/", content_type: "text/html; charset=utf-8", text: include_str!("static/chat.html") },
    Page { path: "/chat.css", content_type: "text/css; charset=utf-8", text: include_str!("static/chat.css") },
    Page { path: "/chat.js", content_type: "text/javascript; charset=utf-8", text: include_str!("static/chat.js") },
    Page { path: "/relay.js", content_type: "text/javascript; charset=utf-8", text: include_str!("static/relay.js") },
];

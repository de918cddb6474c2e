//! A real nginx with `examples/deploy/nginx.conf` in front of a relay, and TLS clients for it.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::TIMEOUT;
use super::program::output;

const HINT: &str = "`make test` installs what the tests need";
/// Attempts to get two free ports, since another process may take them before nginx does.
const TRIES: usize = 5;

/// How nginx reports the client's address in `X-Forwarded-For`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reporting {
    /// `$remote_addr`, as in the example.
    Replaces,
    /// `$proxy_add_x_forwarded_for`.
    Appends,
    /// Not at all: the header is passed on as the client wrote it.
    Nothing,
}

/// A running nginx; killed on drop.
#[derive(Debug)]
pub(crate) struct Nginx {
    child: Child,
    /// The addresses without and with TLS.
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    directory: tempfile::TempDir,
}

impl Nginx {
    /// Starts nginx in front of this relay.
    pub(crate) fn start(relay: SocketAddr) -> Self {
        Self::start_reporting(relay, Reporting::Replaces)
    }

    /// Starts nginx in front of this relay, with another way to report the client's address.
    pub(crate) fn start_reporting(relay: SocketAddr, reporting: Reporting) -> Self {
        let directory = tempfile::tempdir().unwrap();
        make_certificate(directory.path());
        let mut errors = Vec::new();
        for _ in 0..TRIES {
            let [plain, tls] = free_ports();
            let configuration = configuration(relay, plain, tls, directory.path(), reporting);
            std::fs::write(directory.path().join("nginx.conf"), configuration).unwrap();
            match run(directory.path()) {
                Ok(child) => return Self { child, plain, tls, directory },
                Err(error) => errors.push(error),
            }
        }
        panic!("nginx does not serve: {errors:#?}");
    }

    /// The path of the self-signed certificate for `localhost`.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.path().join("fullchain.pem")
    }

    /// The error log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // With `master_process off` there are no child processes.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("nginx's log:\n{}", self.log());
        }
    }
}

/// Both listeners stay open until both ports are known, so the ports differ.
fn free_ports() -> [SocketAddr; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

/// A minimal configuration with the site of the example, except for addresses and paths.
fn configuration(
    relay: SocketAddr,
    plain: SocketAddr,
    tls: SocketAddr,
    directory: &Path,
    reporting: Reporting,
) -> String {
    let reports = "proxy_set_header X-Forwarded-For $remote_addr;";
    let reports_instead = match reporting {
        Reporting::Replaces => reports,
        Reporting::Appends => "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        Reporting::Nothing => "",
    };
    let site =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/deploy/nginx.conf")).unwrap();
    let mut site: String = site.split_inclusive('\n').filter(|line| !line.contains("[::]")).collect();
    for (old, new) in [
        ("listen 80;", format!("listen {plain};")),
        ("listen 443 ssl;", format!("listen {tls} ssl;")),
        ("server_name chat.example.org;", "server_name localhost;".to_owned()),
        ("/etc/letsencrypt/live/chat.example.org", directory.display().to_string()),
        ("server 127.0.0.1:8000;", format!("server {relay};")),
        (reports, reports_instead.to_owned()),
    ] {
        assert!(site.contains(old), "examples/deploy/nginx.conf no longer contains {old:?}");
        site = site.replace(old, &new);
    }
    let own = directory.display();
    format!(
        "daemon off;\nmaster_process off;\npid {own}/nginx.pid;\nerror_log {own}/error.log info;\n\
         events {{ worker_connections 256; }}\n\
         http {{\naccess_log off;\nclient_body_temp_path {own}/body;\nproxy_temp_path {own}/proxy;\n\
         fastcgi_temp_path {own}/fastcgi;\nuwsgi_temp_path {own}/uwsgi;\nscgi_temp_path {own}/scgi;\n{site}}}\n"
    )
}

fn make_certificate(directory: &Path) {
    let mut command = Command::new("openssl");
    command.current_dir(directory).args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    command.args(["-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    command.args(["-keyout", "privkey.pem", "-out", "fullchain.pem"]);
    let made = output(&mut command);
    assert_eq!(made.status, Some(0), "openssl makes no certificate ({HINT}): {}", made.stderr);
}

/// Starts nginx and waits until its ports are open. Returns its standard error if it exits.
fn run(directory: &Path) -> Result<Child, String> {
    // /usr/sbin is not in every PATH.
    let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
    let pid_file = directory.join("nginx.pid");
    let mut command = Command::new(program);
    command.arg("-p").arg(directory).arg("-c").arg(directory.join("nginx.conf"));
    command.arg("-e").arg(directory.join("error.log")).stdin(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("nginx cannot be run ({error}); {HINT}"));
    let until = Instant::now() + TIMEOUT;
    // The pid file is written once all ports are open.
    while !std::fs::read(&pid_file).is_ok_and(|pid| !pid.is_empty()) {
        if child.try_wait().unwrap().is_some() {
            let mut error = String::new();
            let _ = child.stderr.take().unwrap().read_to_string(&mut error);
            return Err(error);
        }
        assert!(Instant::now() < until, "nginx does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(child)
}

/// A local plain-text port whose connections are forwarded to nginx over TLS, from one client address. Verifies the
/// certificate.
#[derive(Debug)]
pub(crate) struct Tunnel {
    /// Where to connect.
    pub(crate) address: SocketAddr,
    children: Arc<Mutex<Vec<Child>>>,
}

impl Tunnel {
    /// Opens a tunnel whose connections come from `127.0.0.HOST`.
    pub(crate) fn from_host(host: u8, nginx: &Nginx) -> Self {
        let from = IpAddr::from(Ipv4Addr::new(127, 0, 0, host));
        let (to, certificate) = (nginx.tls, nginx.certificate());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let children = Arc::<Mutex<Vec<Child>>>::default();
        std::thread::spawn({
            let children = Arc::clone(&children);
            move || {
                for stream in listener.incoming() {
                    children.lock().unwrap().push(run_openssl(&stream.unwrap(), from, to, &certificate));
                }
            }
        });
        Self { address, children }
    }
}

/// Starts an openssl process that forwards `stream`.
fn run_openssl(stream: &TcpStream, from: IpAddr, to: SocketAddr, certificate: &Path) -> Child {
    let end = || Stdio::from(OwnedFd::from(stream.try_clone().unwrap()));
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-connect", &to.to_string(), "-bind", &format!("{from}:0")]);
    command.args(["-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error", "-CAfile"]);
    command.arg(certificate).stdin(end()).stdout(end()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("openssl: {error}; {HINT}"))
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        for child in self.children.lock().unwrap().iter_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

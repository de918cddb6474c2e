//! A real nginx with the site of `examples/deploy/nginx.conf` in front of a relay, and clients that speak TLS to it.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::program::output;

const HINT: &str = "`make test` installs what the tests need";
/// Tries to get two free ports, which somebody else may take before nginx does.
const TRIES: usize = 5;

/// A running nginx; ended when dropped.
#[derive(Debug)]
pub(crate) struct Nginx {
    child: Child,
    /// Where it answers without TLS, and with it.
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    directory: tempfile::TempDir,
}

impl Nginx {
    /// Starts the example's site before this relay.
    pub(crate) fn start(relay: SocketAddr) -> Self {
        let directory = tempfile::tempdir().unwrap();
        make_certificate(directory.path());
        let mut faults = Vec::new();
        for _ in 0..TRIES {
            let [plain, tls] = free_ports();
            std::fs::write(directory.path().join("nginx.conf"), configuration(relay, plain, tls, directory.path()))
                .unwrap();
            match run(directory.path()) {
                Ok(child) => return Self { child, plain, tls, directory },
                Err(fault) => faults.push(fault),
            }
        }
        panic!("nginx does not serve: {faults:#?}");
    }

    /// The certificate, which it has signed itself, for `localhost`.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.path().join("fullchain.pem")
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It is a single process, so nothing of it stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("nginx's log:\n{}", self.log());
        }
    }
}

/// Both listeners live until both ports are known, so these are two.
fn free_ports() -> [SocketAddr; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

/// The site as it is in the example but for addresses and paths, in the least configuration that nginx takes.
fn configuration(relay: SocketAddr, plain: SocketAddr, tls: SocketAddr, directory: &Path) -> String {
    let site =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/deploy/nginx.conf")).unwrap();
    let mut site: String = site.split_inclusive('\n').filter(|line| !line.contains("[::]")).collect();
    for (old, new) in [
        ("listen 80;", format!("listen {plain};")),
        ("listen 443 ssl;", format!("listen {tls} ssl;")),
        ("server_name chat.example.org;", "server_name localhost;".to_owned()),
        ("/etc/letsencrypt/live/chat.example.org", directory.display().to_string()),
        ("server 127.0.0.1:8000;", format!("server {relay};")),
    ] {
        assert!(site.contains(old), "examples/deploy/nginx.conf does not hold {old:?} any more");
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

/// Starts nginx and waits until its ports are open, or tells why they are not.
fn run(directory: &Path) -> Result<Child, String> {
    // It is not in everybody's PATH.
    let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
    let pid_file = directory.join("nginx.pid");
    let mut command = Command::new(program);
    command.arg("-p").arg(directory).arg("-c").arg(directory.join("nginx.conf"));
    command.arg("-e").arg(directory.join("error.log")).stdin(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|fault| panic!("nginx cannot be run ({fault}); {HINT}"));
    let until = Instant::now() + PATIENCE;
    // It writes its pid when it has all ports.
    while !std::fs::read(&pid_file).is_ok_and(|pid| !pid.is_empty()) {
        if child.try_wait().unwrap().is_some() {
            let mut fault = String::new();
            let _ = child.stderr.take().unwrap().read_to_string(&mut fault);
            return Err(fault);
        }
        assert!(Instant::now() < until, "nginx does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(child)
}

/// A port that speaks TLS, as clients from one address, to whomever it was opened for; what connects to it does not
/// have to. It checks the certificate.
#[derive(Debug)]
pub(crate) struct Tunnel {
    /// Where to connect.
    pub(crate) address: SocketAddr,
    children: Arc<Mutex<Vec<Child>>>,
}

impl Tunnel {
    /// A tunnel whose clients seem to be at `127.0.0.HOST`.
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
                    children.lock().unwrap().push(carry(&stream.unwrap(), from, to, &certificate));
                }
            }
        });
        Self { address, children }
    }
}

/// Lets openssl carry what comes by `stream`.
fn carry(stream: &TcpStream, from: IpAddr, to: SocketAddr, certificate: &Path) -> Child {
    let end = || Stdio::from(OwnedFd::from(stream.try_clone().unwrap()));
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-connect", &to.to_string(), "-bind", &format!("{from}:0")]);
    command.args(["-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error", "-CAfile"]);
    command.arg(certificate).stdin(end()).stdout(end()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|fault| panic!("openssl: {fault}; {HINT}"))
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        for child in self.children.lock().unwrap().iter_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use amp::connection::ConnectionBuilder;
use amp::locator::Locator;
use amp::server::ServerBuilder;
use amp::{Connection, Server, Settings};
use tempfile::{NamedTempFile, TempDir};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{python, soon};

/// Is set for what a Twisted parent runs, so that nobody else's `--ignored` does.
pub(crate) const CHILD: &str = "AMP_INTEROP_CHILD";

/// A Twisted process under the orders of a test. It is killed when dropped.
pub(crate) struct Twisted {
    child: Child,
    orders: ChildStdin,
    results: Lines<BufReader<ChildStdout>>,
    log: NamedTempFile,
}

/// A Twisted client of a Rust server, and the server with the directory of its socket.
pub(crate) struct Served {
    pub(crate) twisted: Twisted,
    pub(crate) server: Server,
    _directory: Option<TempDir>,
}

impl Twisted {
    /// A Twisted server on TCP.
    pub(crate) async fn listen() -> Option<(Self, SocketAddr)> {
        let mut twisted = Self::start(&["listen", "tcp:0:interface=127.0.0.1"])?;
        let port = twisted.result().await.parse().expect("the port that Twisted listens on");
        Some((twisted, SocketAddr::from(([127, 0, 0, 1], port))))
    }

    /// A Rust connection to a Twisted server, over TCP.
    pub(crate) async fn called_by(builder: ConnectionBuilder) -> Option<(Connection, Self)> {
        let (twisted, address) = Self::listen().await?;
        Some((builder.connect_tcp(address).await.unwrap(), twisted))
    }

    /// A Rust connection to a Twisted server, over a unix socket.
    pub(crate) async fn called_over_unix(builder: ConnectionBuilder) -> Option<(Connection, Self)> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("twisted");
        let mut twisted = Self::start(&["listen", &format!("unix:{}", path.display())])?;
        twisted.result().await;
        Some((builder.connect_unix(path).await.unwrap(), twisted))
    }

    /// A Rust connection to a Twisted child process, over its pipes.
    pub(crate) fn called_over_pipes(builder: ConnectionBuilder) -> Option<(Connection, Child)> {
        let (python, script) = python()?;
        let mut process = Command::new(python);
        process.arg(script).arg("stdio").kill_on_drop(true);
        Some(builder.spawn(&mut process).unwrap())
    }

    /// A Twisted client of a server that is there.
    pub(crate) async fn connect(address: SocketAddr) -> Option<Self> {
        Self::start(&["connect", &format!("tcp:127.0.0.1:{}", address.port())])?.connected().await
    }

    /// A Twisted client of a Rust server with this locator for every connection, over TCP.
    pub(crate) async fn calling<L: Locator + Clone + Sync>(locator: L) -> Option<Served> {
        Self::calling_with(Settings::new(), locator).await
    }

    /// As [`calling`](Self::calling), with settings for the server.
    pub(crate) async fn calling_with<L: Locator + Clone>(settings: Settings, locator: L) -> Option<Served> {
        Self::calling_server(Server::builder().settings(settings), locator).await
    }

    /// As [`calling`](Self::calling), with a server of the test's.
    pub(crate) async fn calling_server<L: Locator + Clone>(server: ServerBuilder, locator: L) -> Option<Served> {
        let server = server.bind_tcp("127.0.0.1:0", move |_| locator.clone()).await.unwrap();
        let twisted = Self::connect(server.local_addr().unwrap()).await?;
        Some(Served { twisted, server, _directory: None })
    }

    /// A Twisted client of a Rust server, over a unix socket.
    pub(crate) async fn calling_over_unix<L: Locator + Clone>(locator: L) -> Option<Served> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rust");
        let server = Server::builder().bind_unix(&path, move |_| locator.clone()).unwrap();
        let twisted = Self::start(&["connect", &format!("unix:{}", path.display())])?.connected().await?;
        Some(Served { twisted, server, _directory: Some(directory) })
    }

    /// A Twisted parent of this very program, which runs one of its ignored tests as the child.
    pub(crate) async fn parent_of(test: &str) -> Option<Self> {
        let program = std::env::current_exe().unwrap();
        let arguments = ["spawn", program.to_str().unwrap(), "--ignored", "--exact", "--nocapture", test];
        Self::start(&arguments)?.connected().await
    }

    fn start(arguments: &[&str]) -> Option<Self> {
        let (python, script) = python()?;
        let log = NamedTempFile::new().unwrap();
        let mut child = Command::new(python)
            .arg(script)
            .args(arguments)
            .env(CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let results = BufReader::new(child.stdout.take().unwrap()).lines();
        Some(Self { child, orders, results, log })
    }

    async fn connected(mut self) -> Option<Self> {
        assert_eq!(self.result().await, "connected");
        Some(self)
    }

    /// Returns the value of a Python expression as `repr` shows it, or the name and text of its exception.
    pub(crate) async fn say(&mut self, expression: &str) -> String {
        self.begin(expression).await;
        self.result().await
    }

    /// Has it import the commands of a generated module as `learned`, and answer them.
    pub(crate) async fn learn(&mut self, module: &Path) {
        assert_eq!(self.say(&format!("learn({:?})", module.display().to_string())).await, "None");
    }

    /// Has an expression evaluated and does not wait for its value.
    pub(crate) async fn begin(&mut self, expression: &str) {
        self.orders.write_all(format!("{expression}\n").as_bytes()).await.unwrap();
    }

    /// The next result.
    pub(crate) async fn result(&mut self) -> String {
        soon(self.results.next_line()).await.unwrap().expect("the Twisted process ended too early")
    }

    /// Kills the process and sees it dead.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    fn log(&self) -> &Path {
        self.log.path()
    }
}

impl Drop for Twisted {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            // The test runner shows it with the failure.
            #[expect(clippy::print_stderr, reason = "what Twisted logged explains the failed test")]
            {
                eprintln!("--- Twisted logged:\n{log}");
            }
        }
    }
}

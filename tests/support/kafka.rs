//! A real Apache Kafka for tests, without Docker.
//!
//! Its jars are fetched once, by Maven, into `target/kafka-VERSION` (or `TRACEWARDEN_TEST_CACHE`). A cluster of any
//! size runs on free ports of the loopback interface; one is shared by all tests of a test binary. Its brokers can be
//! killed and started again. It ends with the test process, however that ends: each broker hangs on a shell that waits
//! for the end of a pipe which only the test process holds open. When the test fails its folders stay, with the logs.
//!
//! Each broker has a second listener that it advertises at another address, for a proxy: see [`super::proxy`].
//!
//! `KAFKA_BOOTSTRAP=host:port` uses a cluster that is there already. Without it, and without what a cluster is started
//! with, the tests that need one are left out and say so; with `CI` set they fail.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

const VERSION: &str = "4.1.1";
/// The file that says that all jars are there.
const COMPLETE: &str = "complete";
const READY_WITHIN: Duration = Duration::from_secs(90);

/// Whether no Kafka can be had, in which case the test says aloud that it is left out, and why. Where a change is
/// judged (`CI` is set) nothing is left out: what is missing fails the test.
pub(crate) fn is_missing() -> bool {
    static WHY: LazyLock<Option<String>> = LazyLock::new(why_missing);
    let Some(why) = &*WHY else { return false };
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not by a macro: what those print is kept from whoever runs the tests.
    let _ = writeln!(std::io::stderr(), "left out: {test}: {why}");
    true
}

fn why_missing() -> Option<String> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("CI") || is_set("KAFKA_BOOTSTRAP") {
        return None;
    }
    let fetched_by = (!is_fetched()).then_some(("mvn", "--version"));
    let needed = [Some(("java", "-version")), fetched_by];
    needed.into_iter().flatten().find_map(|(program, harmless)| match started(program, harmless) {
        Err(error) if error.kind() == ErrorKind::NotFound => Some(missing(program)),
        _ => None,
    })
}

/// The cluster of this test binary: one broker, started at first use.
pub(crate) fn shared() -> &'static Cluster {
    static SHARED: LazyLock<Cluster> = LazyLock::new(|| match std::env::var("KAFKA_BOOTSTRAP") {
        Ok(bootstrap) => Cluster { bootstrap, brokers: Vec::new() },
        Err(_) => Cluster::start(1),
    });
    &SHARED
}

/// A name that no other test, test run or cluster user has.
pub(crate) fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    format!("{name}-{started}-{}-{count}", std::process::id())
}

/// A running cluster.
pub(crate) struct Cluster {
    bootstrap: String,
    brokers: Vec<Broker>,
}

struct Broker {
    folder: PathBuf,
    ports: Ports,
    /// The shell; the broker ends when its standard input does.
    shell: Child,
    /// What the shell says when it has done what it was told.
    answers: BufReader<ChildStdout>,
}

/// Where a broker listens.
#[derive(Clone, Copy)]
struct Ports {
    clients: u16,
    controllers: u16,
    /// The second listener, and where it tells clients that it listens.
    behind_proxy: u16,
    proxy: u16,
}

impl Cluster {
    /// Starts so many brokers and waits until they answer.
    pub(crate) fn start(size: usize) -> Self {
        let jars = jars();
        let ports: Vec<Ports> = free_ports(size * 4)
            .chunks(4)
            .map(|port| Ports {
                clients: port[0],
                controllers: port[1],
                behind_proxy: port[2],
                proxy: port[3],
            })
            .collect();
        let bootstrap: Vec<String> =
            ports.iter().map(|ports| format!("127.0.0.1:{}", ports.clients)).collect();
        let brokers = (0..size).map(|index| Broker::start(&jars, &ports, index)).collect();
        let cluster = Self { bootstrap: bootstrap.join(","), brokers };
        cluster.wait_until_ready(size);
        cluster
    }

    /// Its address.
    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// How many brokers it has.
    pub(crate) fn size(&self) -> usize {
        self.brokers.len()
    }

    /// The process of one broker, for who measures it.
    pub(crate) fn process(&self, index: usize) -> u32 {
        let shell = self.brokers[index].shell.id();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
        children.trim().parse().expect("the broker is all that its shell runs")
    }

    /// Where one broker keeps its log.
    pub(crate) fn data_folder(&self, index: usize) -> PathBuf {
        self.brokers[index].folder.join("data")
    }

    /// Kills one broker, as a power cut would, but for what the operating system has not written yet.
    pub(crate) fn kill(&mut self, index: usize) {
        self.brokers[index].tell("kill");
    }

    /// Starts a killed broker again on what is left on its disk. It needs some seconds until it answers.
    pub(crate) fn start_again(&mut self, index: usize) {
        self.brokers[index].tell("start");
    }

    /// Whether all brokers answer and every partition has all its copies.
    pub(crate) fn is_whole(&self) -> bool {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", &self.bootstrap).create().unwrap();
        let Ok(metadata) = consumer.fetch_metadata(None, Duration::from_millis(500)) else { return false };
        let partitions = || metadata.topics().iter().flat_map(|topic| topic.partitions());
        metadata.brokers().len() == self.brokers.len()
            && partitions().all(|one| one.leader() >= 0 && one.isr().len() == one.replicas().len())
    }

    /// Where the only broker listens for a proxy, and where the proxy must listen for clients.
    pub(crate) fn proxied(&self) -> (u16, u16) {
        (self.brokers[0].ports.behind_proxy, self.brokers[0].ports.proxy)
    }

    fn wait_until_ready(&self, size: usize) {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", &self.bootstrap).create().unwrap();
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let metadata = consumer.fetch_metadata(None, Duration::from_millis(500));
            if metadata.is_ok_and(|metadata| metadata.brokers().len() == size) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "Kafka was not ready within {READY_WITHIN:?}; its log ends with:\n{}",
                self.brokers.iter().map(Broker::log_end).collect::<String>()
            );
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for broker in &mut self.brokers {
                broker.tell("keep");
                let _ = writeln!(std::io::stderr(), "Kafka's log is in {}", broker.folder.display());
            }
        }
        for broker in &mut self.brokers {
            drop(broker.shell.stdin.take());
        }
        for broker in &mut self.brokers {
            // It ends by itself; there is nobody left to tell if not.
            let _ = broker.shell.wait();
        }
    }
}

impl Broker {
    fn start(jars: &Path, ports: &[Ports], index: usize) -> Self {
        let folder = std::env::temp_dir().join(unique(&format!("tracewarden-kafka-{index}")));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("server.properties"), properties(&folder, ports, index)).unwrap();
        // The data is worth nothing afterwards, so the broker is killed outright.
        let script = r#"
            run() { exec java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$jars/*" "$@"; }
            start() { run kafka.Kafka server.properties >> server.log 2>&1 < /dev/null & }
            jars=$1
            cd "$2" || exit 1
            ( run kafka.tools.StorageTool format -t dHJhY2V3YXJkZW4tdGVzdA -c server.properties ) \
                > server.log 2>&1 < /dev/null || exit 1
            start
            keep=no
            while read -r command; do
                case $command in
                    kill) kill -9 $!; wait ;;
                    start) start ;;
                    keep) keep=yes ;;
                esac
                echo done
            done
            kill -9 $!
            wait
            [ $keep = yes ] || { cd / && rm -rf "$2"; }
        "#;
        // In a process group of its own, so that Ctrl-C does not end the shell before it has cleaned up.
        let mut shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .args([jars, &folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("sh must be there");
        let answers = BufReader::new(shell.stdout.take().expect("it is piped"));
        Self { folder, ports: ports[index], shell, answers }
    }

    /// Tells the shell to do something, and waits until it has.
    fn tell(&mut self, command: &str) {
        let told = self.shell.stdin.as_mut().map(|pipe| writeln!(pipe, "{command}"));
        // A shell that could not even format the disk has ended; what it says then is in its log.
        if matches!(told, Some(Ok(()))) {
            let _ = self.answers.read_line(&mut String::new());
        }
    }

    fn log_end(&self) -> String {
        let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

fn properties(folder: &Path, ports: &[Ports], index: usize) -> String {
    let Ports { clients, controllers, behind_proxy, proxy } = ports[index];
    let voters: Vec<String> = ports
        .iter()
        .enumerate()
        .map(|(index, ports)| format!("{}@127.0.0.1:{}", index + 1, ports.controllers))
        .collect();
    let replicas = ports.len().min(3);
    // With three copies a write is answered when two have it: so nothing is lost with one broker, nor is anything held up.
    let in_sync_min = replicas.div_ceil(2);
    let mut text = String::new();
    for (name, value) in [
        ("process.roles", "broker,controller".to_owned()),
        ("node.id", (index + 1).to_string()),
        ("controller.quorum.voters", voters.join(",")),
        (
            "listeners",
            format!(
                "PLAINTEXT://127.0.0.1:{clients},PROXIED://127.0.0.1:{behind_proxy},\
                 CONTROLLER://127.0.0.1:{controllers}"
            ),
        ),
        ("advertised.listeners", format!("PLAINTEXT://127.0.0.1:{clients},PROXIED://127.0.0.1:{proxy}")),
        ("inter.broker.listener.name", "PLAINTEXT".to_owned()),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        (
            "listener.security.protocol.map",
            "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT".to_owned(),
        ),
        // A dead broker is noticed after this long.
        ("broker.session.timeout.ms", "3000".to_owned()),
        ("broker.heartbeat.interval.ms", "500".to_owned()),
        ("min.insync.replicas", in_sync_min.to_string()),
        ("log.dirs", folder.join("data").display().to_string()),
        ("auto.create.topics.enable", "false".to_owned()),
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        ("group.min.session.timeout.ms", "1000".to_owned()),
        ("offsets.topic.num.partitions", "4".to_owned()),
        ("offsets.topic.replication.factor", replicas.to_string()),
        ("transaction.state.log.num.partitions", "4".to_owned()),
        ("transaction.state.log.replication.factor", replicas.to_string()),
        ("transaction.state.log.min.isr", in_sync_min.to_string()),
        ("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500".to_owned()),
    ] {
        writeln!(text, "{name}={value}").unwrap();
    }
    text
}

/// Ports that were free just now. All are held until all are known, so that none comes twice.
fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

/// The folder with Kafka's jars, fetched when it is not there. Test binaries that start together wait for each
/// other.
fn jars() -> PathBuf {
    let cache = cache();
    fs::create_dir_all(&cache).unwrap();
    let cache = cache.canonicalize().unwrap();
    let jars = cache.join("libs");
    require("java", "-version");
    let lock = File::create(cache.join("lock")).unwrap();
    lock.lock().unwrap();
    if !is_fetched() {
        require("mvn", "--version");
        let pom = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/kafka-pom.xml");
        let fetched = Command::new("mvn")
            .args(["--batch-mode", "--quiet", "--file"])
            .arg(pom)
            .arg(format!("-Dkafka.version={VERSION}"))
            .arg("dependency:copy-dependencies")
            .arg(format!("-DoutputDirectory={}", jars.display()))
            .output()
            .unwrap();
        assert!(
            fetched.status.success(),
            "Maven could not fetch Kafka {VERSION}:\n{}",
            String::from_utf8_lossy(&fetched.stdout)
        );
        File::create(cache.join(COMPLETE)).unwrap();
    }
    jars
}

/// Where the jars are kept, and beside them a file that says that they are all there.
fn cache() -> PathBuf {
    match std::env::var_os("TRACEWARDEN_TEST_CACHE") {
        Some(folder) => PathBuf::from(folder).join(format!("kafka-{VERSION}")),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("../kafka-{VERSION}")),
    }
}

fn is_fetched() -> bool {
    cache().join(COMPLETE).exists()
}

fn require(program: &str, harmless: &str) {
    if let Err(error) = started(program, harmless) {
        assert!(error.kind() != ErrorKind::NotFound, "{}", missing(program));
        panic!("{program} cannot be run: {error}");
    }
}

fn started(program: &str, harmless: &str) -> std::io::Result<ExitStatus> {
    Command::new(program).arg(harmless).stdout(Stdio::null()).stderr(Stdio::null()).status()
}

fn missing(program: &str) -> String {
    format!(
        "it runs against a real Kafka and needs {program}, which is not installed: install a JDK 17 and \
         Maven, or set KAFKA_BOOTSTRAP=host:port to a Kafka cluster for tests"
    )
}

//! A real Apache Kafka for tests, without Docker.
//!
//! Its jars are fetched once, by Maven, into `target/kafka-VERSION` (or `TRACEWARDEN_TEST_CACHE`). A cluster of any
//! size runs on free ports of the loopback interface; one is shared by all tests of a test binary. It ends with the
//! test process, however that ends: each broker hangs on a shell that waits for the end of a pipe which only the
//! test process holds open.
//!
//! `KAFKA_BOOTSTRAP=host:port` uses a cluster that is there already.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

const VERSION: &str = "4.1.1";
const READY_WITHIN: Duration = Duration::from_secs(90);

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
    /// The shell; the broker ends when its standard input does.
    shell: Child,
}

impl Cluster {
    /// Starts so many brokers and waits until they answer.
    pub(crate) fn start(size: usize) -> Self {
        let jars = jars();
        let ports: Vec<(u16, u16)> = free_ports(size * 2).chunks(2).map(|pair| (pair[0], pair[1])).collect();
        let bootstrap: Vec<String> = ports.iter().map(|(port, _)| format!("127.0.0.1:{port}")).collect();
        let brokers = (0..size).map(|index| Broker::start(&jars, &ports, index)).collect();
        let cluster = Self { bootstrap: bootstrap.join(","), brokers };
        cluster.wait_until_ready(size);
        cluster
    }

    /// Its address.
    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Kills one broker, as a power cut would.
    pub(crate) fn kill(&mut self, index: usize) {
        drop(self.brokers[index].shell.stdin.take());
        self.brokers[index].shell.wait().unwrap();
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
        for index in 0..self.brokers.len() {
            self.kill(index);
        }
    }
}

impl Broker {
    fn start(jars: &Path, ports: &[(u16, u16)], index: usize) -> Self {
        let folder = std::env::temp_dir().join(unique(&format!("tracewarden-kafka-{index}")));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("server.properties"), properties(&folder, ports, index)).unwrap();
        // The data is worth nothing afterwards, so the broker is killed outright.
        let script = r#"
            run() { exec java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$jars/*" "$@"; }
            jars=$1
            cd "$2" || exit 1
            (
                ( run kafka.tools.StorageTool format -t dHJhY2V3YXJkZW4tdGVzdA -c server.properties ) || exit 1
                run kafka.Kafka server.properties
            ) > server.log 2>&1 < /dev/null &
            cat > /dev/null
            kill -9 $!
            wait
            cd / && rm -rf "$2"
        "#;
        // In a process group of its own, so that Ctrl-C does not end the shell before it has cleaned up.
        let shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .args([jars, &folder])
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("sh must be there");
        Self { folder, shell }
    }

    fn log_end(&self) -> String {
        let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

fn properties(folder: &Path, ports: &[(u16, u16)], index: usize) -> String {
    let (port, controller_port) = ports[index];
    let voters: Vec<String> = ports
        .iter()
        .enumerate()
        .map(|(index, (_, controller))| format!("{}@127.0.0.1:{controller}", index + 1))
        .collect();
    let replicas = ports.len().min(3);
    let mut text = String::new();
    for (name, value) in [
        ("process.roles", "broker,controller".to_owned()),
        ("node.id", (index + 1).to_string()),
        ("controller.quorum.voters", voters.join(",")),
        ("listeners", format!("PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}")),
        ("advertised.listeners", format!("PLAINTEXT://127.0.0.1:{port}")),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT".to_owned()),
        ("log.dirs", folder.join("data").display().to_string()),
        ("auto.create.topics.enable", "false".to_owned()),
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        ("group.min.session.timeout.ms", "1000".to_owned()),
        ("offsets.topic.num.partitions", "4".to_owned()),
        ("offsets.topic.replication.factor", replicas.to_string()),
        ("transaction.state.log.num.partitions", "4".to_owned()),
        ("transaction.state.log.replication.factor", replicas.to_string()),
        ("transaction.state.log.min.isr", "1".to_owned()),
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
    let cache = match std::env::var_os("TRACEWARDEN_TEST_CACHE") {
        Some(folder) => PathBuf::from(folder).join(format!("kafka-{VERSION}")),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("../kafka-{VERSION}")),
    };
    fs::create_dir_all(&cache).unwrap();
    let cache = cache.canonicalize().unwrap();
    let jars = cache.join("libs");
    let complete = cache.join("complete");
    require("java", "-version");
    let lock = File::create(cache.join("lock")).unwrap();
    lock.lock().unwrap();
    if !complete.exists() {
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
        File::create(complete).unwrap();
    }
    jars
}

fn require(program: &str, harmless: &str) {
    let found = Command::new(program).arg(harmless).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if let Err(error) = found {
        assert!(error.kind() != ErrorKind::NotFound, "{}", missing(program));
        panic!("{program} cannot be run: {error}");
    }
}

fn missing(program: &str) -> String {
    format!(
        "this test runs against a real Kafka and needs {program}, which is not installed: install a JDK 17 and \
         Maven, or set KAFKA_BOOTSTRAP=host:port to a Kafka cluster for tests"
    )
}

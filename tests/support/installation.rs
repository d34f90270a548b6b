//! One installation under test: topics of its own on the shared cluster, the built binary beside them.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use serde_json::Value;
use tracewarden::broker::kafka::KafkaSettings;
use tracewarden::broker::kafka::publish::Publisher;
use tracewarden::broker::{OutRecord, TopicPartition};
use tracewarden::pipeline::topics::{Topic, Topology};
use tracewarden::wire::inbound::route::route;

use super::kafka;

/// A service that was told to stop must end within this long.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Partitions of the internal topics, and of each input topic.
const PARTITIONS: u16 = 3;
const INPUT_PARTITIONS: u16 = 2;

/// The topics of one test and how the binary is told of them.
pub(crate) struct Installation {
    pub(crate) topology: Topology,
    pub(crate) prefix: String,
    bootstrap: String,
    /// Its logs and, when a test wants it, state.
    pub(crate) folder: PathBuf,
    environment: Vec<(String, String)>,
}

impl Installation {
    /// One without topics yet.
    pub(crate) fn without_topics(name: &str) -> Self {
        Self::sized(name, PARTITIONS, INPUT_PARTITIONS)
    }

    /// One without topics yet, with so many partitions of the internal topics and of each input topic.
    pub(crate) fn sized(name: &str, partitions: u16, input_partitions: u16) -> Self {
        Self::on(kafka::shared().bootstrap(), name, partitions, input_partitions)
    }

    /// The same on another cluster than the shared one.
    pub(crate) fn on(bootstrap: &str, name: &str, partitions: u16, input_partitions: u16) -> Self {
        let prefix = format!("{}.", kafka::unique(name));
        let folder = std::env::temp_dir().join(prefix.trim_end_matches('.'));
        fs::create_dir_all(&folder).unwrap();
        let installation = Self {
            topology: Topology::new(&prefix, partitions, input_partitions),
            prefix: prefix.clone(),
            bootstrap: bootstrap.to_owned(),
            folder,
            environment: Vec::new(),
        };
        installation
            .with("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
            .with("KAFKA_TOPIC_PREFIX", &prefix)
            .with("KAFKA_PARTITIONS", &partitions.to_string())
            .with("KAFKA_INPUT_PARTITIONS", &input_partitions.to_string())
            .with("INTAKE_PSEUDONYM_KEY", &"5a".repeat(32))
            .with("HTTP_LISTEN", "off")
    }

    /// One with its topics.
    pub(crate) fn new(name: &str) -> Self {
        let installation = Self::without_topics(name);
        installation.succeed(&["topics", "create"]);
        installation
    }

    /// Sets an option of the configuration.
    pub(crate) fn with(mut self, option: &str, value: &str) -> Self {
        let variable = format!("TRACEWARDEN_{option}");
        self.environment.retain(|(name, _)| *name != variable);
        self.environment.push((variable, value.to_owned()));
        self
    }

    /// Leaves an option at its default.
    pub(crate) fn without(mut self, option: &str) -> Self {
        self.environment.retain(|(name, _)| *name != format!("TRACEWARDEN_{option}"));
        self
    }

    fn binary(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tracewarden"));
        command.args(arguments);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TRACEWARDEN_")) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        self.binary(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; what it prints.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{arguments:?} failed:\n{printed}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        printed
    }

    /// Runs a command that must fail with this exit code; what it says.
    pub(crate) fn refused(&self, arguments: &[&str], exit_code: i32) -> String {
        let output = self.command(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit_code), "{arguments:?} said: {said}");
        said
    }

    /// Starts `run` with these arguments, as the process with this number on this host.
    pub(crate) fn run(&self, slot: u32, arguments: &[&str]) -> Running {
        self.run_with(slot, arguments, &[])
    }

    /// The same with options of its own.
    pub(crate) fn run_with(&self, slot: u32, arguments: &[&str], options: &[(&str, String)]) -> Running {
        let path = self.folder.join(kafka::unique(&format!("run-{slot}.log")));
        let log = File::create(&path).unwrap();
        let child = self
            .binary(&["run"])
            .args(arguments)
            .env("TRACEWARDEN_KAFKA_INSTANCE_SLOT", slot.to_string())
            .envs(options.iter().map(|(option, value)| (format!("TRACEWARDEN_{option}"), value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Running { child, log: path }
    }

    pub(crate) fn settings(&self) -> KafkaSettings {
        KafkaSettings::at(&self.bootstrap)
    }

    pub(crate) fn publisher(&self) -> Publisher {
        Publisher::new(&self.settings()).unwrap()
    }

    /// Publishes reference records with the command, those of them that it takes: worlds hold some that it refuses.
    pub(crate) fn load_reference<'a>(&self, records: impl IntoIterator<Item = &'a Value>) {
        let file = self.folder.join("reference.ndjson");
        let lines: String = records.into_iter().map(|record| format!("{record}\n")).collect();
        fs::write(&file, lines).unwrap();
        let output = self.command(&["reference", "load", &file.display().to_string()]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || said.contains("the others were published"), "{said}");
    }

    /// An upload as a record of its topic. The partition is `number`'s, whatever the institution: uploads of one
    /// document may come in any order.
    pub(crate) fn upload(&self, upload: &str, number: usize) -> OutRecord {
        upload_record(&self.topology, upload, number)
    }
}

/// An upload as a record of its topic, at the partition of a number.
pub(crate) fn upload_record(topology: &Topology, upload: &str, number: usize) -> OutRecord {
    let topic = route(upload.as_bytes()).inlet.map_or(Topic::Settlement, Topic::of_inlet);
    let partition = i32::try_from(number).unwrap() % topology.partitions(topic);
    OutRecord {
        target: TopicPartition::new(topology.name(topic).clone(), partition),
        key: None,
        payload: Some(upload.as_bytes().to_vec()),
        headers: Vec::new(),
    }
}

impl Drop for Installation {
    /// The cluster is small: what a test leaves behind would slow down the next.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "the logs of the processes are in {}", self.folder.display());
            return;
        }
        let names: Vec<&str> = Topic::ALL.iter().map(|topic| &**self.topology.name(*topic)).collect();
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.bootstrap).create().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Topics that were never created are no reason to fail.
        let _ = runtime.block_on(admin.delete_topics(&names, &AdminOptions::new()));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A running service; killed when dropped.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether every stage has been given partitions, and none has had to give them all back since.
    pub(crate) fn owns_partitions(&self) -> bool {
        let log = self.log();
        ["intake", "register", "monitor", "adjudicate"].iter().all(|stage| {
            let of_stage = |line: &&str| line.contains(&format!("stage=\"{stage}\""));
            let last = log.lines().filter(of_stage).rfind(|line| line.contains("partitions "));
            last.is_some_and(|line| line.contains("partitions assigned"))
        })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM: it must end by itself, soon and well.
    pub(crate) fn stop(mut self) {
        self.terminate();
        let status = self.ended_within(STOP_WITHIN);
        assert!(status.success(), "it ended with {status}:\n{}", self.log());
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub(crate) fn ended_within(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(Instant::now() < deadline, "it did not end within {within:?}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

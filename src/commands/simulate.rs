//! `simulate`: a province as files, or straight to the input topics. Memory does not grow with its days.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::folder::{self, Folder};
use super::{ConfigArguments, Failure, publisher, say, warn};
use crate::broker::kafka::publish::Publisher;
use crate::pipeline::topics::Topology;
use crate::present::figures::grouped;
use crate::present::progress::Progress;
use crate::run::topics::topology;
use crate::sim::{self, Dirt, Parameters, Senders, UploadForm};
use crate::wire::inbound::route::route;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print every parameter with its default, for `--parameters`, and end.
    #[arg(long)]
    example: bool,
    /// Parameters of the province, as TOML; the options below hold over them.
    #[arg(long, value_name = "FILE")]
    parameters: Option<PathBuf>,
    /// The same seed makes the same province.
    #[arg(long)]
    seed: Option<u64>,
    /// Simulated days: 1 to 3660. A planted act takes up to 10, so at least 11 when anything is to be planted.
    #[arg(long)]
    days: Option<u32>,
    /// Hospitals and pharmacies.
    #[arg(long)]
    institutions: Option<u32>,
    /// Insured persons.
    #[arg(long)]
    persons: Option<u32>,
    /// Packs handed over a day; each makes up to three scans.
    #[arg(long)]
    codes_per_day: Option<u32>,
    /// Planted acts begun a day.
    #[arg(long, value_name = "ACTS")]
    fraud: Option<u32>,
    /// Nothing is planted.
    #[arg(long, conflicts_with = "fraud")]
    no_fraud: bool,
    /// How uploads go wrong without anybody meaning it.
    #[arg(long, value_enum)]
    dirt: Option<Dirtiness>,
    /// How senders work.
    #[arg(long, value_enum)]
    senders: Option<SenderHabits>,
    /// Form of the uploads.
    #[arg(long, value_enum)]
    form: Option<Form>,
    /// Folder for reference.ndjson, uploads.ndjson, truth.ndjson, until and parameters.toml.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Name of the file of uploads in the folder; compressed with zstd when it ends in .zst.
    #[arg(long, value_name = "NAME", default_value = folder::UPLOADS, requires = "out")]
    uploads: String,
    /// Publish reference records and uploads to their topics.
    #[arg(long)]
    to_kafka: bool,
    /// Uploads a second to Kafka; without it as fast as they are taken.
    #[arg(long, value_name = "UPLOADS", requires = "to_kafka", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Simulated seconds that pass in a second while publishing to Kafka.
    #[arg(long, value_name = "FACTOR", requires = "to_kafka", conflicts_with = "rate",
          value_parser = clap::value_parser!(u32).range(1..))]
    speed_up: Option<u32>,
    #[command(flatten)]
    config: ConfigArguments,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Dirtiness {
    /// As in the field: late, out of order, sent again, corrected, mangled.
    Usual,
    /// Every upload in time and right.
    None,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SenderHabits {
    /// As the interface's book has it.
    Book,
    /// As in the field: most lend the codes of the hand-over to the claim, some report box by box, date returns by
    /// the day, refund in part, write fillers, or use visit numbers of their own.
    Field,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    /// One canonical upload a document.
    Canonical,
    /// Messages of the national interface.
    National,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.example {
        say(Parameters::EXAMPLE.trim_end())?;
        return Ok(());
    }
    if arguments.out.is_none() && !arguments.to_kafka {
        return Err(Failure::usage("where to? Name a folder with --out DIR, or the topics with --to-kafka"));
    }
    let parameters = arguments.parameters()?;
    let mut province = sim::uploads(&parameters);
    if let Some(reason) = province.plants_nothing() {
        warn(format_args!("nothing is planted: {reason}"));
    }
    let mut folder = match &arguments.out {
        Some(path) => Some(Folder::with_uploads_in(&arguments.uploads, path, &parameters)?),
        None => None,
    };
    let mut kafka = arguments.to_kafka.then(|| KafkaSink::open(arguments, &parameters)).transpose()?;

    let progress = Progress::of_count("simulate", None);
    let (mut uploads, mut statements) = (0_u64, 0);
    loop {
        let upload = province.next();
        let truth = province.take_truth();
        statements += truth.len();
        if let Some(folder) = &mut folder {
            folder.truth(&truth)?;
        }
        let Some(upload) = upload else { break };
        if let Some(folder) = &mut folder {
            folder.upload(&upload.json)?;
        }
        if let Some(kafka) = &mut kafka {
            kafka.send(upload.sent_at, upload.json)?;
        }
        uploads += 1;
        progress.advance(1);
    }
    if let Some(folder) = folder {
        folder.finish()?;
    }
    if let Some(kafka) = kafka {
        kafka.publisher.flush()?;
    }
    progress.finish();
    say(format_args!(
        "seed {}: {} uploads of {} institutions in {} days, {} statements of the truth",
        parameters.seed,
        grouped(uploads),
        grouped(parameters.institutions.into()),
        grouped(parameters.days.into()),
        grouped(statements as u64)
    ))?;
    Ok(())
}

impl Arguments {
    /// The file's parameters, else the defaults, with the options over them.
    fn parameters(&self) -> Result<Parameters, Failure> {
        let mut parameters = match &self.parameters {
            None => Parameters::default(),
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|error| super::files::unreadable(path, &error))?;
                Parameters::from_toml(&text)
                    .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?
            }
        };
        let set = |field: &mut u32, option: Option<u32>| *field = option.unwrap_or(*field);
        set(&mut parameters.days, self.days);
        set(&mut parameters.institutions, self.institutions);
        set(&mut parameters.persons, self.persons);
        set(&mut parameters.codes_per_day, self.codes_per_day);
        set(&mut parameters.fraud.acts_per_day, self.fraud.or(self.no_fraud.then_some(0)));
        parameters.seed = self.seed.unwrap_or(parameters.seed);
        match self.dirt {
            Some(Dirtiness::Usual) => parameters.dirt = Dirt::usual(),
            Some(Dirtiness::None) => parameters.dirt = Dirt::none(),
            None => {}
        }
        match self.senders {
            Some(SenderHabits::Book) => parameters.senders = Senders::default(),
            Some(SenderHabits::Field) => parameters.senders = Senders::field(),
            None => {}
        }
        match self.form {
            Some(Form::Canonical) => parameters.form = UploadForm::Canonical,
            Some(Form::National) => parameters.form = UploadForm::National,
            None => {}
        }
        match parameters.fault() {
            Some(fault) => Err(Failure::usage(fault)),
            None => Ok(parameters),
        }
    }
}

/// The input topics, fed at a pace.
struct KafkaSink {
    publisher: Publisher,
    topology: Topology,
    pace: Pace,
}

impl KafkaSink {
    /// Reaches the cluster and publishes the reference records.
    fn open(arguments: &Arguments, parameters: &Parameters) -> Result<Self, Failure> {
        let config = arguments.config.load()?;
        let topology = topology(&config);
        let publisher = publisher(&config)?;
        for json in sim::reference(parameters) {
            let entry = crate::wire::inbound::reference::from_json(json.as_bytes())?;
            publisher.publish(&super::reference::record(&topology, &entry))?;
        }
        publisher.flush()?;
        let pace = Pace::new(arguments.rate, arguments.speed_up);
        Ok(Self { publisher, topology, pace })
    }

    fn send(&mut self, sent_at_ms: i64, json: String) -> Result<(), Failure> {
        let due = self.pace.due(sent_at_ms);
        std::thread::sleep(due.saturating_sub(self.pace.began.elapsed()));
        let (routing, upload) = (route(json.as_bytes()), json.into_bytes());
        Ok(self.publisher.publish(&super::publish::record(&self.topology, routing, upload))?)
    }
}

/// When each upload is due, counted from the beginning.
struct Pace {
    began: Instant,
    rate: Option<u32>,
    speed_up: Option<u32>,
    sent: u64,
    first_sent_at_ms: Option<i64>,
}

impl Pace {
    fn new(rate: Option<u32>, speed_up: Option<u32>) -> Self {
        Self { began: Instant::now(), rate, speed_up, sent: 0, first_sent_at_ms: None }
    }

    fn due(&mut self, sent_at_ms: i64) -> Duration {
        let number = self.sent;
        self.sent += 1;
        let first = *self.first_sent_at_ms.get_or_insert(sent_at_ms);
        let microseconds = match (self.rate, self.speed_up) {
            (Some(rate), _) => number.saturating_mul(1_000_000) / u64::from(rate.max(1)),
            (None, Some(factor)) => {
                sent_at_ms.abs_diff(first).saturating_mul(1_000) / u64::from(factor.max(1))
            }
            (None, None) => 0,
        };
        Duration::from_micros(microseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_are_due_at_their_rate_or_in_their_sped_up_time() {
        let due = |mut pace: Pace| [5_000, 5_000, 9_000].map(|sent_at_ms| pace.due(sent_at_ms).as_millis());
        assert_eq!(due(Pace::new(Some(4), None)), [0, 250, 500]);
        assert_eq!(due(Pace::new(None, Some(2))), [0, 0, 2_000]);
        assert_eq!(due(Pace::new(None, None)), [0, 0, 0]);
    }
}

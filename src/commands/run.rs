//! `run`: the service, on Kafka, until SIGTERM or SIGINT.

use super::{ConfigArguments, Failure};
use crate::pipeline::StageName;
use crate::pipeline::intake::Clock;
use crate::run::service::{self, ServiceOptions, Stop};
use crate::run::state::StateHome;
use crate::telemetry::{exporter, logs};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Run only this stage; may be repeated. Without it all stages run.
    #[arg(long, value_enum)]
    stage: Vec<StageName>,
    /// Where time comes from: `uploads` is for back-tests, and has no decision deadline.
    #[arg(long, value_enum, default_value_t = ClockName::Wall)]
    clock: ClockName,
    #[command(flatten)]
    config: ConfigArguments,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ClockName {
    /// The wall clock, held back by whatever was not read yet.
    Wall,
    /// The greatest issued_at of the uploads, and `tracewarden tick`.
    Uploads,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = arguments.config.load()?;
    let has_deadline = matches!(arguments.clock, ClockName::Wall);
    let stages = if arguments.stage.is_empty() { StageName::ALL.to_vec() } else { arguments.stage.clone() };
    let rules = crate::run::check(&config, has_deadline, stages.contains(&StageName::Intake))
        .map_err(|error| Failure::usage(error.to_string()))?;
    if let Some(path) = config.state_path().map_err(|error| Failure::usage(error.to_string()))? {
        std::fs::create_dir_all(path).map_err(|error| {
            Failure::usage(format!(
                "store.path: cannot make {}: {error}; name a folder that the service can write to",
                path.display()
            ))
        })?;
    }
    // Makes the folder of snapshots too: what cannot be made is said here, as configuration.
    StateHome::from_config(&config).map_err(|error| Failure::usage(error.to_string()))?;
    logs::start(&config.log)?;
    let clock = match arguments.clock {
        ClockName::Wall => Clock::Wall,
        ClockName::Uploads => Clock::Uploads,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let stop = Stop::default();
    let _entered = runtime.enter();
    if let Some(listen) = config.http.listen {
        exporter::start(listen)?;
    }
    stop_on_signal(&runtime, &stop)?;
    service::run(&ServiceOptions { config, rules, stages, clock }, &stop)?;
    tracing::info!("stopped");
    Ok(())
}

/// Stops in an orderly way on the first SIGTERM or SIGINT.
fn stop_on_signal(runtime: &tokio::runtime::Runtime, stop: &Stop) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = stop.clone();
    runtime.spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
        stop.stop();
    });
    Ok(())
}

//! The endpoint for Prometheus: `/metrics` in text form.
//!
//! It has no authentication and tells nothing about persons, codes or institutions. It answers from its own thread
//! or runtime, so a scrape never waits for a stage.

use std::net::SocketAddr;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};

use super::metric::{Kind, Unit};
use super::metrics::{declarations, make_handles};

/// The endpoint could not be started.
#[derive(Debug, thiserror::Error)]
#[error(
    "http.listen: cannot serve metrics at {listen}: {problem}; choose another address and port, or \"off\""
)]
pub struct ExporterError {
    listen: SocketAddr,
    problem: String,
}

/// Starts the endpoint, once in a process and before anything is recorded (see [`metric`](super::metric)).
pub fn start(listen: SocketAddr) -> Result<(), ExporterError> {
    let failed = |error: BuildError| ExporterError { listen, problem: error.to_string() };
    builder().map_err(failed)?.with_http_listener(listen).install().map_err(failed)?;
    describe();
    make_handles();
    Ok(())
}

/// A builder that knows the buckets of every declared histogram.
fn builder() -> Result<PrometheusBuilder, BuildError> {
    declarations().filter(|metric| metric.kind == Kind::Histogram).try_fold(
        PrometheusBuilder::new(),
        |builder, metric| {
            builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), metric.buckets)
        },
    )
}

/// Tells the recorder in force what each metric means.
fn describe() {
    metrics::with_recorder(|recorder| {
        for metric in declarations() {
            let unit = match metric.unit {
                Unit::Count => metrics::Unit::Count,
                Unit::Seconds => metrics::Unit::Seconds,
                Unit::Bytes => metrics::Unit::Bytes,
            };
            let (name, help) = (metric.name.into(), metric.help.into());
            match metric.kind {
                Kind::Counter => recorder.describe_counter(name, Some(unit), help),
                Kind::Gauge => recorder.describe_gauge(name, Some(unit), help),
                Kind::Histogram => recorder.describe_histogram(name, Some(unit), help),
            }
        }
    });
}

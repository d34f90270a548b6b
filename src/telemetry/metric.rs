//! What a declared metric is: it describes itself and owns the handles of its series.
//!
//! A metric whose labels come from closed sets ([`Series`]) makes the handles of all its series at once, when the
//! exporter starts or else at the first record; so they start at zero rather than with the first event, and from then on
//! a record is one look-up in a small map and one atomic operation, and without an exporter nothing at all. Handles
//! made before the exporter started stay silent, so the exporter is started *before* anything is recorded. Those with
//! labels that are not known beforehand ([`Open`]) are recorded seldom, so they look their handle up.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::OnceLock;

use metrics::{IntoF64, Key, Label, Level, Metadata, with_recorder};

static METADATA: Metadata<'static> = Metadata::new("tracewarden", Level::INFO, None);

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by size.
    Histogram,
}

/// What a metric counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// What a metric says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Full name, as Prometheus sees it.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its unit.
    pub unit: Unit,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// Upper bounds of the buckets of a histogram.
    pub buckets: &'static [f64],
    /// What it says.
    pub help: &'static str,
}

/// A metric in the table of all.
pub trait Declared: Sync {
    /// What it says of itself.
    fn metric(&self) -> &Metric;

    /// Makes the handles of all series that are known beforehand, against the recorder in force.
    fn make_handles(&self);
}

/// Values of labels that are known beforehand.
pub trait LabelSet: Copy + Ord + Send + Sync + 'static {
    /// The labels.
    const LABELS: &'static [&'static str];

    /// Every value, or combination of values.
    fn all() -> Vec<Self>;

    /// One value for each label.
    fn values(self) -> Vec<&'static str>;
}

/// A metric with one series for each value of a closed set of labels.
pub struct Series<H: 'static, L: 'static = ()> {
    metric: Metric,
    handles: OnceLock<BTreeMap<L, H>>,
}

/// A counter, by a closed set of labels.
pub type Counter<L = ()> = Series<metrics::Counter, L>;
/// A gauge, by a closed set of labels.
pub type Gauge<L = ()> = Series<metrics::Gauge, L>;
/// A histogram, by a closed set of labels.
pub type Histogram<L = ()> = Series<metrics::Histogram, L>;

/// A metric whose labels are not known beforehand, though they are few: topics and partitions, names of fields.
pub struct Open<H> {
    metric: Metric,
    handle: PhantomData<H>,
}

/// A counter whose labels are not known beforehand.
pub type OpenCounter = Open<metrics::Counter>;
/// A gauge whose labels are not known beforehand.
pub type OpenGauge = Open<metrics::Gauge>;

/// A handle that a recorder gives.
pub trait Handle: Send + Sync {
    /// The kind of its metric.
    const KIND: Kind;

    /// The handle of one series.
    fn register(key: &Key) -> Self;
}

impl Metric {
    /// A count of things without labels; the constructor of a metric sets its kind, and its labels where it knows them.
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, kind: Kind::Counter, unit: Unit::Count, labels: &[], buckets: &[], help: "" }
    }

    pub(super) const fn seconds(self) -> Self {
        Self { unit: Unit::Seconds, ..self }
    }

    pub(super) const fn bytes(self) -> Self {
        Self { unit: Unit::Bytes, ..self }
    }

    pub(super) const fn buckets(self, buckets: &'static [f64]) -> Self {
        Self { buckets, ..self }
    }

    pub(super) const fn labels(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }
}

impl<H: Handle, L: LabelSet> Series<H, L> {
    /// A metric without handles, which it makes at its first record at the latest.
    pub const fn new(metric: Metric) -> Self {
        let metric = Metric { kind: H::KIND, labels: L::LABELS, ..metric };
        Self { metric, handles: OnceLock::new() }
    }

    fn handles(&self) -> &BTreeMap<L, H> {
        let key = |labels: L| {
            let labels =
                L::LABELS.iter().zip(labels.values()).map(|(label, value)| Label::new(*label, value));
            Key::from_parts(self.metric.name, labels.collect::<Vec<_>>())
        };
        self.handles.get_or_init(|| L::all().into_iter().map(|set| (set, H::register(&key(set)))).collect())
    }

    /// Records in one series; labels that are not in the set have none.
    fn of(&self, labels: L, record: impl FnOnce(&H)) {
        if let Some(handle) = self.handles().get(&labels) {
            record(handle);
        }
    }
}

impl<L: LabelSet> Counter<L> {
    /// So many more.
    pub fn add(&self, labels: L, count: u64) {
        self.of(labels, |counter| counter.increment(count));
    }
}

impl<L: LabelSet> Gauge<L> {
    /// So many more, or less.
    pub fn change(&self, labels: L, by: i32) {
        self.of(labels, |gauge| gauge.increment(by));
    }
}

impl<L: LabelSet> Histogram<L> {
    /// One value: a number, or a time in its unit.
    pub fn record(&self, labels: L, value: impl IntoF64) {
        self.of(labels, |histogram| histogram.record(value));
    }
}

impl<H: Handle> Open<H> {
    /// A metric with these labels.
    pub const fn new(metric: Metric) -> Self {
        Self { metric: Metric { kind: H::KIND, ..metric }, handle: PhantomData }
    }

    /// The handle of one series, by one value for each label.
    fn of<const LABELS: usize>(&self, values: [&str; LABELS]) -> H {
        let labels = self.metric.labels.iter().zip(values);
        let labels = labels.map(|(label, value)| Label::new(*label, value.to_owned()));
        H::register(&Key::from_parts(self.metric.name, labels.collect::<Vec<_>>()))
    }
}

impl OpenCounter {
    /// So many more.
    pub fn add<const LABELS: usize>(&self, values: [&str; LABELS], count: u64) {
        self.of(values).increment(count);
    }
}

impl OpenGauge {
    /// It stands so.
    pub fn set<const LABELS: usize>(&self, values: [&str; LABELS], value: impl IntoF64) {
        self.of(values).set(value);
    }
}

impl<H: Handle, L: LabelSet> Declared for Series<H, L> {
    fn metric(&self) -> &Metric {
        &self.metric
    }

    fn make_handles(&self) {
        self.handles();
    }
}

impl<H: Handle> Declared for Open<H> {
    fn metric(&self) -> &Metric {
        &self.metric
    }

    fn make_handles(&self) {}
}

impl Handle for metrics::Counter {
    const KIND: Kind = Kind::Counter;

    fn register(key: &Key) -> Self {
        with_recorder(|recorder| recorder.register_counter(key, &METADATA))
    }
}

impl Handle for metrics::Gauge {
    const KIND: Kind = Kind::Gauge;

    fn register(key: &Key) -> Self {
        with_recorder(|recorder| recorder.register_gauge(key, &METADATA))
    }
}

impl Handle for metrics::Histogram {
    const KIND: Kind = Kind::Histogram;

    fn register(key: &Key) -> Self {
        with_recorder(|recorder| recorder.register_histogram(key, &METADATA))
    }
}

impl Kind {
    /// The name on the reference page and at the endpoint.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Unit {
    /// The name on the reference page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
        }
    }
}

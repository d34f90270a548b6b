//! The hot functions of the path of a document, each on a simulated province: decode, entries, register, monitor, and all
//! stages together on the memory twin; and a settlement that many hand-overs lend to. `cargo bench --bench hot_path`; ratios
//! within one run say more than the times.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tracewarden::config::Config;
use tracewarden::domain::document::{Origin, Upload};
use tracewarden::domain::monitor::{self, CodeState};
use tracewarden::domain::observation::{CodeChange, Moment};
use tracewarden::domain::reference::{self, Book};
use tracewarden::domain::register::{self, DocumentState};
use tracewarden::domain::rules::ruleset::RuleSet;
use tracewarden::domain::time::Timestamp;
use tracewarden::run::local::{Local, LocalOptions};
use tracewarden::sim::{self, Parameters};
use tracewarden::wire::entries::{self, DocumentEntry, Entry};
use tracewarden::wire::inbound::intake::{self, Decoded, Door, Input, Limits};
use tracewarden::wire::inbound::nhsa::medical::MedicalTypes;
use tracewarden::wire::inbound::pseudonym::Pseudonymiser;
use tracewarden::wire::state;

/// As of the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Uploads in one measurement.
const UPLOADS: usize = 2_000;

struct Province {
    lines: Vec<String>,
    book: Book,
}

fn province() -> Province {
    let parameters = Parameters::demo(1);
    let book = sim::book(&parameters).expect("the simulator writes valid records");
    Province { lines: sim::uploads(&parameters).take(UPLOADS).map(|upload| upload.json).collect(), book }
}

fn origin() -> Origin {
    let received_at = Timestamp::from_unix_millis(1_767_600_000_000);
    Origin { topic: "settlement".into(), partition: 0, offset: 0, received_at }
}

fn decode(line: &str, limits: &Limits, pseudonymiser: &Pseudonymiser) -> Upload {
    let origin = origin();
    let input = Input {
        inlet: None,
        content_type: None,
        payload: line.as_bytes(),
        origin: &origin,
        record_timestamp: None,
    };
    let door =
        Door { limits, pseudonymiser, medical_types: &MedicalTypes::default(), book: &Book::default() };
    match intake::take_in(&input, &door) {
        Decoded::Uploads { mut uploads, .. } => uploads.remove(0).upload,
        other => panic!("the simulator writes valid uploads: {other:?}"),
    }
}

fn with_reference(mut upload: Upload, book: &Book) -> Upload {
    reference::attach(&mut upload, book);
    upload
}

/// How much is published of uploads that go through all stages.
fn run(options: &LocalOptions, book: &Book, uploads: &[String]) -> usize {
    let mut local = Local::new(options, book.clone()).expect("the stages start");
    for (number, upload) in (1..).zip(uploads) {
        local.feed(upload.clone().into_bytes(), "uploads", number).expect("it is taken in");
    }
    local.finish(None).expect("it ends");
    local.drain().expect("outputs are readable").len()
}

fn encoded(code: &CodeState) -> Vec<u8> {
    state::bytes_of(|writer| state::write_code(code, writer))
}

fn hot_path(criterion: &mut Criterion) {
    let Province { lines, book } = province();
    let (limits, pseudonymiser, rules) = (Limits::default(), Pseudonymiser::for_tests(), RuleSet::default());
    let moment = Moment { now: None, wall: None, forgotten_before: None, detected_at: Timestamp::default() };
    let uploads: Vec<Upload> = lines.iter().map(|line| decode(line, &limits, &pseudonymiser)).collect();
    let attached: Vec<Upload> = uploads.iter().map(|upload| with_reference(upload.clone(), &book)).collect();
    let document_entries: Vec<Entry<DocumentEntry>> =
        attached.iter().map(|upload| Entry::of(DocumentEntry::Upload(upload.clone()))).collect();
    let packed = entries::encode(&document_entries, 256 << 10);
    let merge_all = || -> Vec<CodeChange> {
        let merged = attached
            .iter()
            .map(|upload| register::apply(&mut DocumentState::default(), upload, &moment, &rules).changes);
        merged.flatten().collect()
    };
    let changes = merge_all();
    let codes: Vec<CodeState> = changes
        .iter()
        .map(|change| {
            let mut code = CodeState::default();
            monitor::apply(&mut code, change, &moment, &rules);
            code
        })
        .collect();

    let mut group = criterion.benchmark_group("per_upload");
    group.throughput(Throughput::Elements(UPLOADS as u64)).sample_size(20);
    group.bench_function("decode", |b| {
        b.iter(|| lines.iter().for_each(|line| drop(black_box(decode(line, &limits, &pseudonymiser)))));
    });
    group.bench_function("attach_reference", |b| {
        b.iter_batched(
            || uploads.clone(),
            |uploads| uploads.into_iter().for_each(|upload| drop(black_box(with_reference(upload, &book)))),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("encode_entries", |b| {
        b.iter(|| entries::encode(black_box(&document_entries), 256 << 10));
    });
    group.bench_function("decode_entries", |b| {
        b.iter(|| {
            packed.iter().map(|record| entries::decode::<DocumentEntry>(record).unwrap().len()).sum::<usize>()
        });
    });
    group.bench_function("register", |b| b.iter(merge_all));
    group.finish();

    let mut group = criterion.benchmark_group("per_code");
    group.throughput(Throughput::Elements(changes.len() as u64)).sample_size(20);
    group.bench_function("monitor", |b| {
        b.iter(|| {
            let applied = changes.iter().map(|change| {
                monitor::apply(&mut CodeState::default(), change, &moment, &rules).verdicts.len()
            });
            applied.sum::<usize>()
        });
    });
    group.bench_function("state_round_trip", |b| {
        b.iter(|| {
            let decoded = codes.iter().map(|code| state::decode_code(&encoded(code)).unwrap());
            decoded.map(|code| code.observations.len()).sum::<usize>()
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("all_stages");
    group.throughput(Throughput::Elements(UPLOADS as u64)).sample_size(10);
    group.bench_function("local", |b| {
        let options = LocalOptions::from_config(&Config::default()).expect("the defaults are valid");
        b.iter(|| run(&options, &book, &lines));
    });
    group.finish();
}

/// Lines of one hand-over.
const LENT_AT_ONCE: usize = 10;

/// A settlement without codes, then the hand-overs that lend them to it, a second apart: each settles before the next.
fn lent(lines: usize) -> Vec<String> {
    let document = |kind: &str, document_id: String, second: usize, lines: Vec<String>| {
        let time =
            format!("2026-01-05T{:02}:{:02}:{:02}+08:00", 9 + second / 3600, second / 60 % 60, second % 60);
        format!(
            r#"{{"document_id":"{document_id}","kind":"{kind}","institution_id":"P37020304446","issued_at":"{time}",
            "occurred_at":"{time}","settlement_id":"S1","lines":[{}]}}"#,
            lines.join(",")
        )
    };
    let line = |number: usize, codes: String| {
        format!(
            r#"{{"line_id":"{number:04}","product_code":"XR05CBA198A001010100863","quantity":"1","amount":"1.00",
            "trace_codes":[{codes}]}}"#
        )
    };
    let claimed = (0..lines).map(|number| line(number, String::new())).collect();
    let mut documents = vec![document("settlement", "S1".to_owned(), 0, claimed)];
    for second in 0..lines / LENT_AT_ONCE {
        let codes =
            (0..LENT_AT_ONCE).map(|number| format!(r#""8177322{:013}""#, second * LENT_AT_ONCE + number));
        let handed_over = codes.enumerate().map(|(number, code)| line(number, code)).collect();
        documents.push(document("dispense", format!("D{second}"), second + 1, handed_over));
    }
    documents
}

/// The cost of a settlement line that is lent its code, of a short settlement and of a long one. Every hand-over brings a
/// decision of all lines, which is written whole; what else it costs is to depend on its own lines alone.
fn lending(criterion: &mut Criterion) {
    let options = LocalOptions::from_config(&Config::default()).expect("the defaults are valid");
    let mut group = criterion.benchmark_group("per_lent_line");
    group.sample_size(10);
    for lines in [300, 3_000] {
        let uploads = lent(lines);
        group.throughput(Throughput::Elements(lines as u64));
        group.bench_function(format!("{lines}_lines_{}_hand_overs", uploads.len() - 1), |b| {
            b.iter(|| run(&options, &Book::default(), &uploads));
        });
    }
    group.finish();
}

criterion_group!(benches, hot_path, lending);
criterion_main!(benches);

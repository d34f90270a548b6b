//! Merging and viewing, from the text of the rules.

use proptest::prelude::*;

use super::canonical_text::Canonical;
use super::live::LiveLine;
use super::merge::{Change, Document, Merged};
use super::observe::observe;
use super::samples::*;
use super::*;
use crate::domain::outcome::UploadOutcome;
use crate::domain::reference::{Key, Product, Value};

fn apply(document: &mut Document, upload: &Upload) -> Merged {
    match upload {
        Upload::Version(version) => document.merge(version),
        Upload::Reversal(reversal) => document.reverse(reversal),
        Upload::Handling(_) => panic!("no part of the document"),
    }
}

fn merged(uploads: &[Upload]) -> Document {
    let mut document = Document::default();
    for upload in uploads {
        apply(&mut document, upload);
    }
    document
}

fn outcomes(uploads: &[Upload]) -> Vec<UploadOutcome> {
    let mut document = Document::default();
    uploads.iter().map(|upload| apply(&mut document, upload).outcome).collect()
}

fn line_ids(document: &Document) -> Vec<&str> {
    document.lines.keys().map(AsRef::as_ref).collect()
}

#[test]
fn a_full_upload_replaces_what_is_older() {
    let first = full(Kind::Settlement, 1, &[line("1", AMBROXOL, 1, &[A]), line("2", AMBROXOL, 1, &[B])]);
    let second = full(Kind::Settlement, 2, &[line("2", AMBROXOL, 2, &[B])]);
    for order in [[&first, &second], [&second, &first]] {
        let uploads = order.map(|version| Upload::from(version.clone()));
        assert_eq!(line_ids(&merged(&uploads)), ["2"]);
    }
    assert_eq!(
        outcomes(&[second.clone().into(), first.into(), second.into()]),
        [UploadOutcome::Accepted, UploadOutcome::Superseded, UploadOutcome::Duplicate]
    );
}

#[test]
fn a_part_and_a_reversal_of_one_stamp_meet_whichever_comes_first() {
    let whole = || full(Kind::Settlement, 2, &[line("1", AMBROXOL, 1, &[A]), line("2", AMBROXOL, 1, &[B])]);
    let reverse = |minutes, line_id: Option<&str>, parts| Reversal {
        target: whole().key,
        of_alias: false,
        line_id: line_id.map(Text::from),
        parts,
        issued_at: minute(minutes),
        origin: whole().origin,
    };
    let fees = partial(2, &[line("1", AMBROXOL, 1, &[]).without_codes()]);
    let header_and_codes = Parts { fee: false, ..Parts::ALL };
    for (version, reversal, meet) in [
        (whole(), reverse(2, None, Parts::ALL), true),
        (whole(), reverse(2, Some("1"), Parts::FEE), true),
        (whole(), reverse(2, Some("3"), Parts::ALL), false),
        (whole(), reverse(1, None, Parts::ALL), false),
        (whole(), reverse(3, None, Parts::ALL), false),
        (fees.clone(), reverse(2, None, header_and_codes), false),
        (fees, reverse(2, None, Parts::FEE), true),
    ] {
        for order in [
            [Upload::from(version.clone()), reversal.clone().into()],
            [reversal.clone().into(), version.clone().into()],
        ] {
            let mut document = Document::default();
            let met: Vec<bool> =
                order.iter().map(|upload| apply(&mut document, upload).meets_reversal).collect();
            assert_eq!(met, [false, meet], "{order:?}");
        }
    }
}

#[test]
fn a_line_is_split_when_it_is_said_with_the_fee_or_beside_the_codes() {
    for (with_fee, beside_codes) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut version = full(Kind::Settlement, 1, &[line("1", AMBROXOL, 10, &[A])]);
        for line in &mut version.lines {
            if let (Some(fee), Some(codes)) = (&mut line.fee, &mut line.codes) {
                fee.content.split = with_fee;
                codes.content.split = beside_codes;
            }
        }
        let key = version.key.clone();
        let document = merged(&[version.into()]);
        let split = with_fee || beside_codes;
        let live = document.live(&key);
        let lines = live.iter().flat_map(|live| &live.lines);
        assert_eq!(lines.map(LiveLine::is_split).collect::<Vec<_>>(), [split]);
        let observed = live.iter().flat_map(observe);
        assert_eq!(observed.map(|(_, observation)| observation.split).collect::<Vec<_>>(), [split]);
    }
}

#[test]
fn lines_of_two_full_uploads_with_one_stamp_unite() {
    let first = full(Kind::Settlement, 1, &[line("1", AMBROXOL, 1, &[A])]);
    let second = full(Kind::Settlement, 1, &[line("2", AMBROXOL, 1, &[B])]);
    assert_eq!(line_ids(&merged(&[first.into(), second.into()])), ["1", "2"]);
}

#[test]
fn a_full_upload_spares_a_partial_one_of_the_same_stamp_and_not_of_an_older() {
    let whole = full(Kind::Settlement, 2, &[line("1", AMBROXOL, 1, &[A])]);
    let same = partial(2, &[line("2", AMBROXOL, 1, &[B])]);
    assert_eq!(line_ids(&merged(&[same.clone().into(), whole.clone().into()])), ["1", "2"]);
    let older = partial(1, &[line("2", AMBROXOL, 1, &[B])]);
    assert_eq!(line_ids(&merged(&[older.into(), whole.clone().into()])), ["1"]);
    // The same parts first as a partial upload: the full stamp is still news.
    let as_partial = Version { full: false, ..whole.clone() };
    assert_eq!(outcomes(&[as_partial.into(), whole.into()]), [UploadOutcome::Accepted; 2]);
}

#[test]
fn of_two_versions_with_one_stamp_the_greater_canonical_text_counts() {
    let small = partial(1, &[line("1", AMBROXOL, 2, &[A])]);
    // Text, not number: 10000 thousandths sort before 2000.
    let great = partial(1, &[line("1", AMBROXOL, 10, &[B])]);
    let one = merged(&[small.clone().into(), great.clone().into()]);
    let other = merged(&[great.into(), small.into()]);
    assert_eq!(one, other);
    let parts = one.lines.get("1");
    let fee = parts.and_then(|parts| parts.fee.as_ref()).map(|fee| &fee.part.content);
    assert_eq!(fee.and_then(|fee| fee.quantity), Some(Quantity::from_whole(2)));
    let codes = parts.and_then(|parts| parts.codes.as_ref()).map(|codes| codes.part.content.canonical_text());
    assert_eq!(codes, Some(format!("trace_codes={B}")));
}

#[test]
fn equal_versions_take_the_newer_reference() {
    let old = partial(1, &[line("1", AMBROXOL, 1, &[A])]);
    let mut book = book();
    let product =
        Product { product_code: Some("X2".into()), name: None, packs_per_code: 2, units_per_pack: None };
    set(&mut book, Key::Product { prefix: "8177322".into() }, Value::Product(product), None, None);
    let new = version(&book, false, 1, None, Group::Settlement, &[line("1", AMBROXOL, 1, &[A])]);
    let mut document = merged(&[old.clone().into()]);
    assert_eq!(
        document.merge(&new),
        Merged { outcome: UploadOutcome::Duplicate, change: Change::Reference, meets_reversal: false }
    );
    assert_eq!(
        document.merge(&old),
        Merged { outcome: UploadOutcome::Duplicate, change: Change::Nothing, meets_reversal: false }
    );
    assert_eq!(document, merged(&[new.into(), old.into()]));
}

#[test]
fn a_reversal_takes_back_what_is_no_later_in_either_order() {
    let upload = full(Kind::Settlement, 5, &[line("1", AMBROXOL, 1, &[A]), line("2", AMBROXOL, 1, &[B])]);
    let same_stamp = reversal(5, None, Parts::ALL);
    let earlier = reversal(4, None, Parts::ALL);
    for (reversal, lines) in [(same_stamp, 0), (earlier, 2)] {
        for order in
            [[upload.clone().into(), reversal.clone().into()], [reversal.into(), upload.clone().into()]]
        {
            assert_eq!(merged(&order).lines.len(), lines);
            assert_eq!(merged(&order).live(&key(Group::Settlement)).is_some(), lines > 0);
        }
    }
    let again = full(Kind::Settlement, 6, &[line("1", AMBROXOL, 1, &[A])]);
    let all = [reversal(5, None, Parts::ALL).into(), again.into(), upload.into()];
    assert_eq!(line_ids(&merged(&all)), ["1"]);
    assert_eq!(outcomes(&all), [UploadOutcome::Accepted, UploadOutcome::Accepted, UploadOutcome::Superseded]);
}

#[test]
fn a_reversal_of_a_line_or_of_some_parts_leaves_the_rest() {
    let upload = full(Kind::Settlement, 5, &[line("1", AMBROXOL, 1, &[A]), line("2", AMBROXOL, 1, &[B])]);
    let one_line = merged(&[reversal(5, Some("1"), Parts::ALL).into(), upload.clone().into()]);
    assert_eq!(line_ids(&one_line), ["2"]);
    assert!(one_line.header.is_some());
    let settlement = merged(&[upload.clone().into(), reversal(5, None, Parts::HEADER_AND_CODES).into()]);
    assert!(settlement.header.is_none());
    assert!(settlement.lines.values().all(|parts| parts.fee.is_some() && parts.codes.is_none()));
    let fees = merged(&[upload.into(), reversal(5, Some("2"), Parts::FEE).into()]);
    assert_eq!(line_ids(&fees), ["1", "2"]);
    assert_eq!(fees.lines.get("2").map(|parts| parts.fee.is_some()), Some(false));
}

#[test]
fn reversals_are_counted_by_what_they_add() {
    let early = reversal(1, None, Parts::FEE);
    let late = reversal(2, None, Parts::ALL);
    let of_line = reversal(1, Some("1"), Parts::ALL);
    assert_eq!(
        outcomes(&[early.clone().into(), late.clone().into(), early.into(), late.into(), of_line.into()]),
        [
            UploadOutcome::Accepted,
            UploadOutcome::Accepted,
            UploadOutcome::Superseded,
            UploadOutcome::Duplicate,
            UploadOutcome::Superseded
        ]
    );
}

#[test]
fn an_alias_passes_on_all_reversals_it_keeps() {
    let uploads = [
        reversal(3, None, Parts::HEADER_AND_CODES).into(),
        reversal(2, None, Parts::FEE).into(),
        reversal(9, Some("1"), Parts::ALL).into(),
        reversal(2, Some("2"), Parts::FEE).into(),
        reversal(3, Some("3"), Parts::ALL).into(),
    ];
    let alias = merged(&uploads);
    let member = DocumentKey { document_id: "D2".into(), ..key(Group::Settlement) };
    let told: Vec<_> =
        alias.reversals(&member).into_iter().map(|r| (r.line_id, r.parts, r.issued_at)).collect();
    let facets = Parts { header: false, ..Parts::ALL };
    assert_eq!(
        told,
        [
            (None, Parts::HEADER_AND_CODES, minute(3)),
            (None, Parts::FEE, minute(2)),
            (Some("1".into()), facets, minute(9)),
            (Some("3".into()), Parts::FEE, minute(3)),
        ]
    );
    let target = key(Group::Settlement);
    let replayed: Vec<Upload> = alias.reversals(&target).into_iter().map(Upload::from).collect();
    assert_eq!(merged(&replayed), alias);
}

#[test]
fn equal_codes_of_a_facet_are_one_and_their_units_add_up() {
    let mut line = line("1", AMBROXOL, 1, &[]);
    let full_width = "８１７７３２２０００００００００００１１";
    line.codes = Some(vec![(B, None), (A, Some(3)), (full_width, None), (A, Some(4)), ("", None)]);
    let version = partial(1, &[line]);
    let codes = version.lines.first().and_then(|line| line.codes.as_ref()).map(|part| &part.content.scans);
    let codes =
        codes.map(|scans| scans.iter().map(|scanned| (scanned.scan.text().to_string(), scanned.units)));
    assert_eq!(
        codes.map(Iterator::collect),
        Some(vec![(A.to_owned(), Some(Quantity::from_whole(7))), (B.to_owned(), None)])
    );
}

fn spots(version: &Version) -> Vec<(String, String)> {
    let mut document = Document::default();
    document.merge(version);
    let observations = document.live(&version.key).map(|live| observe(&live)).unwrap_or_default();
    observations.keys().map(|(line, code)| (line.to_string(), code.to_string())).collect()
}

fn spot(line_id: &str, code: &str) -> (String, String) {
    (line_id.to_owned(), code.to_owned())
}

#[test]
fn of_lines_that_share_a_whole_pack_only_the_first_observes_it() {
    let lines = [
        line("10", AMBROXOL, 1, &[A]),
        line("2", AMBROXOL, 1, &[A, STRANGER]),
        line("3", AMBROXOL, 1, &[A]).split(),
        line("4", SYRUP, 1, &[CARTON, STRANGER]),
        line("5", SYRUP, 1, &[CARTON]),
    ];
    assert_eq!(
        spots(&full(Kind::Settlement, 1, &lines)),
        [spot("10", A), spot("2", STRANGER), spot("3", A), spot("4", CARTON), spot("5", CARTON),]
    );
}

#[test]
fn lot_codes_stocktakes_and_headless_documents_make_no_observation() {
    let lines = [line("1", AMBROXOL, 1, &[LOT_CODE, SERIAL_CODE, "ABC-1234567", "spoilt"])];
    assert_eq!(spots(&full(Kind::PurchaseIn, 1, &lines)), [spot("1", SERIAL_CODE), spot("1", "ABC-1234567")]);
    assert_eq!(spots(&full(Kind::Stocktake, 1, &lines)), []);
    assert_eq!(spots(&partial(1, &lines)), []);
}

#[test]
fn an_observation_says_what_the_document_says() {
    let mut header = header(Kind::Settlement);
    header.counterparty.invoice = Some("F1".into());
    let lines = [line("1", AMBROXOL, 2, &[A, LOT_CODE]), line("2", AMBROXOL, 1, &[B])];
    let version = version(&book(), true, 3, Some(header), Group::Settlement, &lines);
    let mut document = Document::default();
    document.merge(&version);
    let observations = document.live(&version.key).map(|live| observe(&live)).unwrap_or_default();
    assert_eq!(observations.len(), 2);
    let Some(found) = observations.get(&("1".into(), A.into())) else {
        return assert_eq!(spots(&version), [spot("1", A), spot("2", B)]);
    };
    assert_eq!((found.role, found.time, found.codes_issued_at), (Role::Settlement, minute(0), minute(3)));
    assert_eq!((found.codes_on_line, found.quantity), (2, Some(Quantity::from_whole(2))));
    // 7.00 of the header in the proportion 10.00 : 10.00.
    assert_eq!(found.fund_amount, Some(Money::from_fen(350)));
    assert_eq!(&*found.region, "440305");
    assert_eq!(found.tier.as_deref(), Some("pharmacy"));
    assert_eq!((found.stock_uploaded_since, found.dispensing_uploaded_since), (day(2025, 7, 1), None));
    assert_eq!(found.product.as_ref().map(|product| product.units_per_pack), Some(Some(20)));
    assert!(found.has_papers);
    assert_eq!(found.reference_version, 4);
}

#[test]
fn records_are_chosen_by_the_day_of_the_header() {
    let mut book = book();
    let product =
        Product { product_code: Some("X2".into()), name: None, packs_per_code: 6, units_per_pack: None };
    // From the day after the document's on, and until the day before it.
    for (from, to) in [(day(2026, 1, 6), None), (day(2025, 1, 1), day(2026, 1, 4))] {
        let value = Value::Product(product.clone());
        set(&mut book, Key::Product { prefix: "8177322".into() }, value, from, to);
    }
    for (minutes, packs) in [(0, 1), (24 * 60, 6), (-24 * 60, 6), (14 * 60, 1), (15 * 60, 6)] {
        let mut header = header(Kind::PurchaseIn);
        header.occurred_at = minute(minutes).into();
        let version =
            version(&book, true, 3, Some(header), Group::Procurement, &[line("1", AMBROXOL, 1, &[A])]);
        let document = merged(&[version.clone().into()]);
        let observations = document.live(&version.key).map(|live| observe(&live)).unwrap_or_default();
        let found: Vec<_> =
            observations.values().filter_map(|o| o.product.as_ref()).map(|p| p.packs_per_code).collect();
        assert_eq!(found, [packs], "{minutes}");
    }
}

/// What the rules say is live, computed from the whole set at once: the content of each part.
fn live_by_definition(uploads: &[Upload]) -> Vec<String> {
    let versions: Vec<&Version> = uploads
        .iter()
        .filter_map(|upload| match upload {
            Upload::Version(version) => Some(&**version),
            Upload::Reversal(_) | Upload::Handling(_) => None,
        })
        .collect();
    let newest_full = versions.iter().filter(|version| version.full).map(|version| version.issued_at).max();
    let reversed = |class: fn(&Parts) -> bool, line_id: Option<&Text>, issued_at: Timestamp| {
        uploads.iter().any(|upload| match upload {
            Upload::Reversal(reversal) => {
                class(&reversal.parts)
                    && issued_at <= reversal.issued_at
                    && (reversal.line_id.is_none()
                        || line_id.is_some() && reversal.line_id.as_ref() == line_id)
            }
            Upload::Version(_) | Upload::Handling(_) => false,
        })
    };
    let mut greatest: std::collections::BTreeMap<(Option<Text>, &str), (Timestamp, String)> =
        Default::default();
    let mut offer = |line_id: Option<&Text>, part: &'static str, issued_at: Timestamp, text: String| {
        let known = greatest.entry((line_id.cloned(), part)).or_insert((issued_at, text.clone()));
        *known = known.clone().max((issued_at, text));
    };
    for version in &versions {
        if let Some(header) = &version.header {
            offer(None, "header", version.issued_at, header.content.canonical_text());
        }
        for line in &version.lines {
            if let Some(fee) = &line.fee {
                offer(Some(&line.line_id), "fee", version.issued_at, fee.content.canonical_text());
            }
            if let Some(codes) = &line.codes {
                offer(Some(&line.line_id), "codes", version.issued_at, codes.content.canonical_text());
            }
        }
    }
    let live = greatest.into_iter().filter(|((line_id, part), (issued_at, _))| {
        let class: fn(&Parts) -> bool = match *part {
            "header" => |parts| parts.header,
            "fee" => |parts| parts.fee,
            _ => |parts| parts.codes,
        };
        let replaced = line_id.is_some() && newest_full.is_some_and(|full| *issued_at < full);
        !replaced && !reversed(class, line_id.as_ref(), *issued_at)
    });
    live.map(|((line_id, part), (issued_at, text))| format!("{line_id:?} {part} {issued_at} {text}"))
        .collect()
}

fn live_as_merged(document: &Document) -> Vec<String> {
    let header = document
        .header
        .as_ref()
        .map(|header| format!("None header {} {}", header.issued_at, header.part.content.canonical_text()));
    let lines = document.lines.iter().flat_map(|(line_id, parts)| {
        let line_id = Some(line_id.clone());
        let codes = parts.codes.as_ref().map(|codes| {
            format!("{line_id:?} codes {} {}", codes.issued_at, codes.part.content.canonical_text())
        });
        let fee = parts
            .fee
            .as_ref()
            .map(|fee| format!("{line_id:?} fee {} {}", fee.issued_at, fee.part.content.canonical_text()));
        [codes, fee]
    });
    header.into_iter().chain(lines.flatten()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn merging_gives_what_the_set_of_uploads_means(
        (uploads, shuffled) in shuffled_uploads()
    ) {
        let document = merged(&uploads);
        prop_assert_eq!(live_as_merged(&document), live_by_definition(&uploads));
        prop_assert_eq!(&merged(&shuffled), &document);
        // Whatever was merged once is no news the second time.
        let mut again = document.clone();
        for upload in &shuffled {
            prop_assert_eq!(apply(&mut again, upload).change, Change::Nothing);
        }
        prop_assert_eq!(again, document);
    }
}

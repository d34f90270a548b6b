//! One message of the national interface in all the ways in which senders write it: every way is the same uploads. And
//! bytes of any kind never make the reader panic.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use tracewarden::domain::document::{Origin, Upload};
use tracewarden::domain::time::Timestamp;
use tracewarden::wire::inbound::intake::{Decoded, Input};

const RECORD_TIMESTAMP: Timestamp = Timestamp::from_unix_millis(1_768_017_600_000);
/// The spelling that the tables of the interface have.
const FIRST: usize = 0;
/// A number that all numbers of spellings divide about evenly.
const SPELLINGS: usize = 2520;

const CODES: [&str; 2] = ["81773220288616420001", "81773220288616420002"];

fn decode(payload: &[u8]) -> Decoded {
    let origin = Origin { topic: "test".into(), partition: 0, offset: 0, received_at: RECORD_TIMESTAMP };
    let record_timestamp = Some(RECORD_TIMESTAMP);
    crate::take_in(&Input { inlet: None, content_type: None, payload, origin: &origin, record_timestamp })
}

/// What the uploads of a message say, all of which can be read; by document, since of two nodes the order says nothing.
fn said(message: &str) -> Vec<Upload> {
    match decode(message.as_bytes()) {
        Decoded::Uploads { mut uploads, refused, .. } if refused.is_empty() => {
            uploads.sort_by(|one, two| one.upload.key().cmp(two.upload.key()));
            uploads.into_iter().map(|decoded| decoded.upload).collect()
        }
        other => panic!("uploads expected of {message}, found {other:?}"),
    }
}

/// The members of an object, each with its value as JSON.
type Members = Vec<(String, String)>;

fn members(fields: &[(&str, String)]) -> Members {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn object(members: &Members) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("{}:{value}", text(name))).collect();
    format!("{{{}}}", members.join(","))
}

fn text(text: &str) -> String {
    json!(text).to_string()
}

/// How the keys are written.
#[derive(Clone, Copy, Debug)]
enum Keys {
    AsTheInterface,
    Upper,
    WithoutUnderscores,
}

/// How a list of rows is written.
#[derive(Clone, Copy, Debug)]
enum Rows {
    List,
    /// One row as it is; of several, each under a node of its own.
    Alone,
    NumberedKeys,
    ListInList,
    /// The node twice, in full.
    Twice,
}

/// What stands around the message.
#[derive(Clone, Copy, Debug)]
enum Around {
    Nothing,
    ByteOrderMark,
    BizData,
    BizDataAsText,
    CloudEvent,
}

/// One way to write a message.
#[derive(Clone, Debug)]
struct Writing {
    keys: Keys,
    rows: Rows,
    /// How often the node of rows, and that of the codes, is wrapped in text.
    wrapped: (usize, usize),
    around: Around,
    /// Which of the spellings of each value; the remainder of the division by their number.
    spelling: [usize; 6],
    /// Codes in their own order or the other, and which of their forms.
    codes: (bool, usize),
}

/// As the tables of the interface have it: every choice is the first.
fn plain() -> Writing {
    Writing {
        keys: Keys::AsTheInterface,
        rows: Rows::List,
        wrapped: (0, 0),
        around: Around::Nothing,
        spelling: [FIRST; 6],
        codes: (false, FIRST),
    }
}

fn any_writing() -> impl Strategy<Value = Writing> {
    let keys = select(&[Keys::AsTheInterface, Keys::Upper, Keys::WithoutUnderscores][..]);
    let rows = select(&[Rows::List, Rows::Alone, Rows::NumberedKeys, Rows::ListInList, Rows::Twice][..]);
    let around = select(
        &[Around::Nothing, Around::ByteOrderMark, Around::BizData, Around::BizDataAsText, Around::CloudEvent]
            [..],
    );
    let spelling = prop::array::uniform6(0..SPELLINGS);
    (keys, rows, (0..=3_usize, 0..=3_usize), around, spelling, (any::<bool>(), 0..SPELLINGS)).prop_map(
        |(keys, rows, wrapped, around, spelling, codes)| Writing {
            keys,
            rows,
            wrapped,
            around,
            spelling,
            codes,
        },
    )
}

impl Writing {
    fn key(&self, name: &str) -> String {
        match self.keys {
            Keys::AsTheInterface => name.to_owned(),
            Keys::Upper => name.to_ascii_uppercase(),
            Keys::WithoutUnderscores => name.replace('_', ""),
        }
    }

    fn keyed(&self, fields: Members) -> Members {
        fields.into_iter().map(|(name, value)| (self.key(&name), value)).collect()
    }

    fn spelt(&self, which: usize, spellings: &[String]) -> String {
        spellings[self.spelling[which] % spellings.len()].clone()
    }

    /// A count; a spelling with a fraction of zeros is a whole number all the same.
    fn count(&self, count: i32) -> String {
        let mut spellings = vec![text(&count.to_string()), count.to_string()];
        spellings.extend([format!("{count}.0"), text(&format!("{count}.000")), format!("{count}e0")]);
        if count > 0 {
            spellings.push(text(&format!("+{count}")));
        }
        self.spelt(0, &spellings)
    }

    fn flag(&self, flag: bool) -> String {
        let spellings: &[&str] = if flag {
            &[r#""1""#, "1", "1.0", "true", r#""TRUE""#, r#""y""#, r#""是""#, r#""01""#]
        } else {
            &[r#""0""#, "0", "0.0", "false", r#""False""#, r#""N""#, r#""否""#, r#""00""#, r#""""#, "null"]
        };
        self.spelt(1, &spellings.iter().map(|spelling| (*spelling).to_owned()).collect::<Vec<_>>())
    }

    /// 2026-01-05 09:30:00 in Beijing.
    fn moment(&self) -> String {
        let spellings = [
            "2026-01-05 09:30:00",
            "2026/1/5 9:30:00",
            "2026.01.05T09:30",
            "2026年1月5日 09:30:00",
            "20260105093000",
            "20260105093000000",
            "2026-01-05T01:30:00Z",
            "2026-01-05T09:30:00.000+08:00",
            "/Date(1767576600000)/",
            "1767576600000",
        ];
        self.spelt(2, &spellings.map(text))
    }

    /// A whole number that names something.
    fn number(&self, number: &str) -> String {
        self.spelt(3, &[text(number), number.to_owned(), format!("{number}.0"), text(&format!("{number}.0"))])
    }

    /// A field that says nothing.
    fn nothing(&self) -> String {
        let fillers = ["", "-", "--", "NULL", "None", "n/a", "无", "未知", "0000"];
        let fillers: Vec<String> =
            fillers.iter().map(|filler| text(filler)).chain(["null".to_owned()]).collect();
        self.spelt(4, &fillers)
    }

    fn money(&self) -> String {
        self.spelt(5, &[r#""35.60""#, "35.6", r#""+35.6""#, r#""3.56e1""#, r#""35.600""#].map(str::to_owned))
    }

    fn codes(&self, codes: &[&str]) -> String {
        let mut codes = codes.to_vec();
        if self.codes.0 {
            codes.reverse();
        }
        let object = |code: &&str| object(&self.keyed(members(&[("drug_trac_codg", text(code))])));
        let objects: Vec<String> = codes.iter().map(object).collect();
        let numbered = objects.iter().enumerate().map(|(nth, code)| (nth.to_string(), code.clone()));
        let forms = [
            format!("[{}]", objects.join(",")),
            json!(codes).to_string(),
            text(&codes.join(",")),
            text(&codes.join("；")),
            text(&codes.join("、")),
            text(&codes.join(" ")),
            text(&format!("{}|", codes.join("|"))),
            self::object(&numbered.collect()),
            format!("[[{}],null]", objects.join(",")),
        ];
        let form = forms[self.codes.1 % forms.len()].clone();
        (0..self.wrapped.1)
            .fold(form.clone(), |json, _| if form.starts_with('"') { json } else { text(&json) })
    }

    /// The node of the rows, as members of `input`.
    fn rows(&self, node: &str, other_node: &str, rows: &[Members]) -> Members {
        let rows: Vec<String> = rows.iter().map(|row| object(&self.keyed(row.clone()))).collect();
        let wrapped = |json: String| (0..self.wrapped.0).fold(json, |json, _| text(&json));
        let list = || format!("[{}]", rows.join(","));
        let stated = match self.rows {
            Rows::List => vec![(node, list())],
            Rows::Alone => [node, other_node].into_iter().zip(rows.iter().cloned()).collect(),
            Rows::NumberedKeys => {
                let numbered = rows.iter().enumerate().map(|(nth, row)| (nth.to_string(), row.clone()));
                vec![(node, object(&numbered.collect()))]
            }
            Rows::ListInList => vec![(node, format!("[{}]", list()))],
            Rows::Twice => vec![(node, list()), (node, list())],
        };
        stated.into_iter().map(|(node, json)| (node.to_owned(), wrapped(json))).collect()
    }

    fn message(&self, infno: &str, input: &Members) -> String {
        let head = members(&[
            ("infno", self.number(infno)),
            ("msgid", text("M1")),
            ("fixmedins_code", text("P37020304446")),
            ("inf_time", text("2026-01-05 09:31:02")),
            ("input", object(&self.keyed(input.clone()))),
        ]);
        let message = object(&self.keyed(head));
        match self.around {
            Around::Nothing => message,
            Around::ByteOrderMark => format!("\u{feff}{message}"),
            Around::BizData => format!(r#"{{"baseData":{{}},"bizData":{message}}}"#),
            Around::BizDataAsText => format!(r#"{{"baseData":{{}},"bizData":{}}}"#, text(&message)),
            Around::CloudEvent => format!(r#"{{"specversion":"1.0","id":"1","data":{message}}}"#),
        }
    }
}

/// Two sales of one upload, with all that a row can say.
fn sales(writing: &Writing) -> String {
    let row = |row: &str, codes: &[&str], split: bool| {
        members(&[
            ("med_list_codg", text("XR05CBA198A001010100863")),
            ("fixmedins_hilist_id", text("YP001")),
            ("fixmedins_bchno", writing.number("20260105001")),
            ("prsc_dr_name", writing.nothing()),
            ("setl_id", text("S20260105001")),
            ("mdtrt_sn", text(row)),
            ("psn_no", writing.nothing()),
            ("manu_lotnum", text("A123")),
            ("expy_end", text("2027-05-01")),
            ("trdn_flag", writing.flag(split)),
            ("finl_trns_pric", writing.money()),
            ("rtal_docno", text("LS001")),
            ("sel_retn_cnt", writing.count(2)),
            ("sel_retn_time", writing.moment()),
            ("drugtracinfo", writing.codes(codes)),
        ])
    };
    let rows = [row("V1", &CODES, false), row("V2", &CODES[..1], true)];
    writing.message("3505", &writing.rows("selinfo", "selinfoDetail", &rows))
}

/// A settlement with a line and the codes of it.
fn settlement(writing: &Writing) -> String {
    let line = members(&[
        ("feedetl_sn", writing.number("1")),
        ("med_list_codg", text("XR05CBA198A001010100863")),
        ("cnt", writing.count(2)),
        ("det_item_fee_sumamt", writing.money()),
        ("pric", writing.money()),
        ("trdn_flag", writing.flag(false)),
        ("drugtracinfo", writing.codes(&CODES)),
    ]);
    let head = members(&[
        ("mdtrt_id", writing.number("4711")),
        ("setl_id", writing.nothing()),
        ("psn_no", writing.nothing()),
        ("begntime", writing.moment()),
    ]);
    let input = vec![("druginfo".to_owned(), object(&writing.keyed(head)))];
    let lines = match writing.rows {
        // One line has no second node to stand in.
        Rows::Alone => vec![("drugdetail".to_owned(), object(&writing.keyed(line)))],
        _ => writing.rows("drugdetail", "drugdetail", &[line]),
    };
    writing.message("2102", &[input, lines].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_writing_of_sales_is_the_same_sales(writing in any_writing()) {
        prop_assert_eq!(said(&sales(&writing)), said(&sales(&plain())), "{}", sales(&writing));
    }

    #[test]
    fn every_writing_of_a_settlement_is_the_same_settlement(writing in any_writing()) {
        prop_assert_eq!(said(&settlement(&writing)), said(&settlement(&plain())), "{}", settlement(&writing));
    }

    #[test]
    fn a_writing_with_bytes_damaged_never_panics(
        writing in any_writing(),
        damage in prop::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut payload = sales(&writing).into_bytes();
        for (at, byte) in damage {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        decode(&payload[..cut.index(payload.len())]);
        decode(&payload);
    }
}

//! The envelope of a message: who sent it, when, which transaction it is; its `input` and, where the stream has
//! it, the response's `output` beside it.
//!
//! Dirt passed over: any case of the keys; a wrapper `baseData` + `bizData` around the envelope; nodes as JSON inside
//! text; the whole response in the place of its `output`.

use super::nodes::{self, FAILED_ROWS, Shape};
use super::row::{Reading, Row, is_empty, is_squashed, squash};
use crate::domain::document::occurred::OccurredAt;
use crate::domain::time::Timestamp;
use crate::wire::inbound::intake::Limits;
use crate::wire::inbound::json::{self, Json, Members};
use crate::wire::inbound::notes::{Leniency, Notebook};
use crate::wire::inbound::reject::{Reject, Words};

/// Fields of the envelope, squashed: beside one of them an `input` is that of a message.
const HEAD: [&str; 16] = [
    "msgid",
    "mdtrtareaadmvs",
    "insuplcadmdvs",
    "recersyscode",
    "devno",
    "devsafeinfo",
    "cainfo",
    "signtype",
    "infver",
    "opter",
    "optertype",
    "optername",
    "inftime",
    "fixmedinscode",
    "fixmedinsname",
    "signno",
];

const ONE_OBJECT: Words = Words::new("一个对象", "one object");
const ROWS: Words = Words::new("行", "rows");

/// The response's word on what it took: 0 says that it did not.
const RESULT: [&str; 1] = ["retRslt"];
/// What names a row of stock or sales.
pub(super) const BATCH: [&str; 1] = ["fixmedins_bchno"];
pub(super) const HILIST: [&str; 2] = ["fixmedins_hilist_id", "fixmedins_hist_id"];
pub(super) const CHANGE_TYPE: [&str; 1] = ["inv_chg_type"];
/// What names a row of any message.
const ROW_NAMES: [&str; 4] = ["fixmedins_bchno", "fixmedins_hilist_id", "fixmedins_hist_id", "feedetl_sn"];

/// One message of the national interface.
#[derive(Debug)]
pub(in crate::wire::inbound) struct Envelope {
    head: Members,
    input: Json,
    /// The whole response: `infcode` and `output`.
    response: Members,
    output: Json,
    notes: Notebook,
    limits: Limits,
}

/// A row that the platform did not take, as its answer names it.
#[derive(Debug)]
struct FailedRow {
    batch: Option<String>,
    hilist: Option<String>,
    change: Option<String>,
}

/// Whether the object is a message of the interface: it has an `infno`, or an `input` beside a field of the envelope.
pub(in crate::wire::inbound) fn is_message(members: &Members) -> bool {
    let has = |name: &str| members.iter().any(|(key, _)| is_squashed(key, name));
    has("infno") || (has("input") && HEAD.iter().any(|name| has(name)))
}

/// The message inside the wrapper `bizData`, when the object is one.
pub(in crate::wire::inbound) fn unwrapped(members: Members, notes: &Notebook) -> Members {
    if is_message(&members) {
        return members;
    }
    let inside = members.iter().find(|(key, _)| is_squashed(key, "bizdata")).map(|(_, value)| value.clone());
    match inside.map(|inside| nodes::opened(inside, true, notes)) {
        Some(Json::Object(inside)) if is_message(&inside) => {
            notes.lenient(Leniency::Wrapped);
            inside
        }
        _ => members,
    }
}

impl Envelope {
    /// The message of an object that is one.
    pub(in crate::wire::inbound) fn new(members: Members, notes: Notebook, limits: &Limits) -> Self {
        let mut head = members;
        let input = nodes::opened(take(&mut head, "input"), true, &notes);
        let (response, output) = match nodes::opened(take(&mut head, "output"), true, &notes) {
            Json::Object(mut response) if response.iter().any(|(key, _)| is_squashed(key, "infcode")) => {
                let output = take(&mut response, "output");
                (response, output)
            }
            output => (Members::new(), output),
        };
        Self { head, input, response, output, notes, limits: limits.clone() }
    }

    /// The notes taken so far and from now on.
    pub(in crate::wire::inbound) fn into_notebook(self) -> Notebook {
        self.notes
    }

    /// What its rows are read with.
    pub(super) fn reading(&self) -> Reading<'_> {
        Reading { notes: &self.notes, limits: &self.limits }
    }

    /// The fields beside `input` and `output`.
    pub(super) fn head(&self) -> Row<'_> {
        Row::new("", &self.head, self.reading())
    }

    /// The institution as sent, when it can be read.
    pub(super) fn institution_id(&self) -> String {
        // What cannot be read names nobody; why it cannot is a refusal of its own.
        self.head().text(&["fixmedins_code"]).ok().flatten().unwrap_or_default()
    }

    /// When it says it was issued, as far as that can be read.
    pub(super) fn issued_at(&self) -> Option<Timestamp> {
        self.head().moment(&["inf_time"]).ok().flatten().map(OccurredAt::earliest)
    }

    /// Whether the response says that the platform did not take the message: then it reported no fact.
    pub(super) fn has_failed(&self) -> bool {
        let response = Row::new("", &self.response, self.reading());
        let code = said(&self.head(), &["infcode"]).or_else(|| said(&response, &["infcode"]));
        if code.is_some_and(|code| !is_zero(&code)) {
            return true;
        }
        let Some(output) = self.output.members() else { return false };
        let output = Row::new("output", output, self.reading());
        let refuses = |row: &Row<'_>| said(row, &RESULT).is_some_and(|code| is_zero(&code));
        refuses(&output)
            || output.nodes(&["result"]).iter().any(|(place, result)| match result {
                Json::Object(members) => refuses(&Row::new(place, members, self.reading())),
                Json::List(list) => list.iter().filter_map(Json::members).any(|members| {
                    let row = Row::new(place, members, self.reading());
                    refuses(&row) && ROW_NAMES.iter().all(|name| said(&row, &[*name]).is_none())
                }),
                _ => false,
            })
    }

    /// Whether the response lists this row among those that the platform did not take.
    pub(super) fn has_refused(&self, row: &Row<'_>) -> bool {
        let same = |given: &Option<String>, names: &[&'static str]| {
            given.as_ref().is_none_or(|given| said(row, names).as_ref() == Some(given))
        };
        self.failed_rows().iter().any(|failed| {
            (failed.batch.is_some() || failed.hilist.is_some())
                && same(&failed.batch, &BATCH)
                && same(&failed.hilist, &HILIST)
                && same(&failed.change, &CHANGE_TYPE)
        })
    }

    fn failed_rows(&self) -> Vec<FailedRow> {
        let mut failed = Vec::new();
        if let Some(output) = self.output.members() {
            self.collect_failed(output, false, &mut failed);
        }
        failed
    }

    /// The failed rows of lists of failures, and of a list of results those that say so.
    fn collect_failed(&self, members: &Members, is_result: bool, failed: &mut Vec<FailedRow>) {
        for (key, value) in members {
            let key = squash(key);
            let elements: Vec<&Members> = match value {
                Json::List(list) => list.iter().filter_map(Json::members).collect(),
                Json::Object(members) => vec![members],
                _ => continue,
            };
            if key.ends_with(FAILED_ROWS) || (key == "result" && matches!(value, Json::List(_))) {
                let must_say = !key.ends_with(FAILED_ROWS);
                failed.extend(elements.into_iter().filter_map(|element| self.failed_row(element, must_say)));
            } else if key == "result" && !is_result {
                elements.into_iter().for_each(|element| self.collect_failed(element, true, failed));
            }
        }
    }

    fn failed_row(&self, members: &Members, must_say: bool) -> Option<FailedRow> {
        let row = Row::new("output", members, self.reading());
        let has_failed = said(&row, &RESULT).map_or(!must_say, |code| is_zero(&code));
        has_failed.then(|| FailedRow {
            batch: said(&row, &BATCH),
            hilist: said(&row, &HILIST),
            change: said(&row, &CHANGE_TYPE),
        })
    }

    /// The rows of `input` under all nodes of their shape, else under `data`, else `input` itself when it is a list: at
    /// least one, at most `rows_max`.
    pub(super) fn rows(&self, shape: Shape) -> Result<Vec<Row<'_>>, Reject> {
        let mut found = Vec::new();
        match &self.input {
            Json::Object(members) if !nodes::is_list_of_numbers(members) => {
                let input = Row::new("input", members, self.reading());
                let mut stated = input.nodes(shape.nodes);
                if stated.is_empty() {
                    stated = input.nodes(&["data"]);
                }
                if stated.is_empty() {
                    return Err(Reject::missing(input.path(shape.nodes)));
                }
                for (place, node) in nodes::distinct(stated, &self.notes) {
                    nodes::rows(&place, node, shape, self.reading(), &mut found)?;
                }
            }
            list @ (Json::Object(_) | Json::List(_)) => {
                nodes::rows("input", list, shape, self.reading(), &mut found)?;
            }
            _ => return Err(Reject::missing("input")),
        }
        if found.is_empty() {
            let node = shape.nodes.first().copied().unwrap_or("data");
            return Err(Reject::missing(format!("input.{node}")));
        }
        if found.len() > self.limits.lines_max {
            return Err(Reject::over_limit("input", self.limits.lines_max, ROWS));
        }
        Ok(found)
    }

    /// The one object of a node of `input`.
    pub(super) fn row(&self, shape: Shape) -> Result<Row<'_>, Reject> {
        let mut rows = self.rows(shape)?.into_iter();
        match (rows.next(), rows.next()) {
            (Some(row), None) => Ok(row),
            _ => {
                let node = shape.nodes.first().copied().unwrap_or("data");
                Err(Reject::malformed(format!("input.{node}"), ONE_OBJECT))
            }
        }
    }

    /// `input` itself.
    pub(super) fn input(&self) -> Option<Row<'_>> {
        self.input.members().map(|members| Row::new("input", members, self.reading()))
    }

    /// The settlement in the response, where the stream has it.
    pub(super) fn settlement(&self) -> Option<Row<'_>> {
        let output = Row::new("output", self.output.members()?, self.reading());
        let (place, settlement) = output.nodes(&["setlinfo"]).into_iter().next()?;
        let members = match settlement {
            Json::List(list) => list.first()?.members()?,
            settlement => settlement.members()?,
        };
        Some(Row::new(place, members, self.reading()))
    }
}

/// What a row says under a name; nothing when it cannot be read.
fn said(row: &Row<'_>, names: &[&'static str]) -> Option<String> {
    row.text(names).ok().flatten()
}

fn is_zero(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

/// Takes a node out of the object: of one that stands there several times all members or elements.
fn take(members: &mut Members, squashed: &str) -> Json {
    let (nodes, rest): (Members, Members) =
        std::mem::take(members).into_iter().partition(|(key, _)| squash(key) == squashed);
    *members = rest;
    let filled = nodes.into_iter().map(|(_, value)| value).filter(|value| !is_empty(value));
    let mut stated = json::distinct(filled.collect(), |value| value);
    if stated.len() < 2 {
        return stated.pop().unwrap_or(Json::Null);
    }
    if stated.iter().all(|value| value.members().is_some()) {
        let members = stated.into_iter().flat_map(|value| match value {
            Json::Object(members) => members,
            _ => Members::new(),
        });
        return Json::Object(members.collect());
    }
    Json::List(stated)
}

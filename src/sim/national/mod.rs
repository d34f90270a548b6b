//! Writes documents as messages of the national interface, and says what their documents are called then.
//!
//! | document | messages |
//! |---|---|
//! | stock | 3501 or 3502, or their A variants; with papers also the 3503 or 3504 of the purchase, which has no codes |
//! | dispensing, its return | 3505, 3506; one for each box where the sender does so |
//! | settlement of a hospital | 2204 fee lines, 2207 with the codes and the response |
//! | refund of a part of it | 2204 with a negative count |
//! | settlement of a pharmacy | 2102 with the codes and the response |
//! | what is taken back | 3507, 2208, 2103 |
//!
//! The form cannot carry everything: a claim's lines have no lot and no last day of use, so nobody can see in it that a
//! pack was banned ([`carries`]); a stock change has no papers; a return names no sale; one line of a claim is
//! refunded by cancelling all of it and settling the rest. Every row of stock and sales is a document of its own for
//! who reads it, so the truth names other documents than in the canonical form ([`line`]).
//!
//! A claim whose codes stand in the hand-over is written without; some are known by their requests alone, without a
//! response. What careless senders make of a message is in [`careless`].

mod careless;
mod rows;

pub(super) use careless::Carelessness;

use serde_json::{Value, json};

use super::day_of;
use super::dirt::{Filed, Which};
use super::document::{Body, Document, Full, Line, Lot, Name, Portion, Scan, visit_number};
use super::places::{PersonCertificate, PersonNumber, REGIONS, World};
use super::truth::LineRef;
use crate::domain::document::{Group, Kind};
use crate::domain::rules::RuleId;
use crate::domain::time::Timestamp;
use crate::wire::inbound::nhsa;
use crate::wire::inbound::pseudonym::Pseudonymiser;

/// One message and the topic that it belongs to.
pub(super) type Message = (Group, String);

/// What a row of stock or sales is told by, besides its document.
#[derive(Clone, Debug)]
pub(super) struct RowIdentity {
    /// The line that it reports, or a box of.
    pub(super) line: usize,
    /// The box, where it is of one.
    pack: Option<u64>,
    product: u32,
    lot: Lot,
    /// Which box: a digest of its codes; without codes which customer.
    which: String,
}

/// What the rows of a document are told by.
pub(super) fn row_identities(world: &World, document: &Document, full: &Full) -> Vec<RowIdentity> {
    let sender = Sender { world, document };
    let person = full.person.filter(|_| full.kind.group() == Group::Dispensing);
    let person = person.and_then(|person| {
        let certificate = PersonCertificate(person).to_string();
        Pseudonymiser::for_tests().certificate(&certificate).map(|pseudonym| pseudonym.to_string())
    });
    let row = |(at, line): (usize, Line)| {
        let codes: Vec<String> = rows::codes(&sender, &line).collect();
        let digest = nhsa::digest(codes.iter().map(String::as_str));
        let which = digest.or_else(|| person.clone()).unwrap_or_default();
        let pack = match line.scans.as_slice() {
            [scan] => Some(scan.number),
            _ => None,
        };
        RowIdentity { line: at, pack, product: line.product, lot: line.lot, which }
    };
    by_box(&sender, full).into_iter().map(row).collect()
}

/// The lines that rows report, with their places: of who reports box by box those of one box each.
fn by_box(sender: &Sender<'_>, full: &Full) -> Vec<(usize, Line)> {
    let reports =
        full.kind.group() == Group::Dispensing && sender.world.reports_boxes(sender.document.institution);
    let boxes = |(at, line): (usize, &Line)| {
        let single = sender.world.catalogue.get(line.product).packs_per_code == 1;
        if !reports || !single || line.split || line.scans.len() < 2 {
            return vec![(at, line.clone())];
        }
        let of_one = |scan: &Scan| (at, Line { quantity: 1, scans: vec![*scan], ..line.clone() });
        line.scans.iter().map(of_one).collect()
    };
    full.lines.iter().enumerate().flat_map(boxes).collect()
}

/// Whether a rule can say in this form what it says in the canonical one.
pub(super) fn carries(rule: RuleId) -> bool {
    rule != RuleId::Banned
}

/// The messages that report a document.
pub(super) fn messages(world: &World, document: &Document) -> Vec<Message> {
    let sender = Sender { world, document };
    match &document.body {
        Body::Full(full) => match full.kind.group() {
            Group::Procurement => stock(&sender, full),
            Group::Dispensing => sales(&sender, full),
            Group::Settlement => settlement(&sender, full),
        },
        Body::Reversal { group: Group::Settlement, settlement, .. } => vec![cancel(&sender, *settlement)],
        Body::Reversal { group, target, .. } => vec![deletion(&sender, *group, *target)],
        Body::Refund { line, visit } => vec![refund(&sender, line, *visit)],
    }
}

/// The line of the truth: what line number `line` of a document is called by who reads the messages.
pub(super) fn line(world: &World, filed: &Filed, line: usize, which: Which) -> LineRef {
    let place = world.institution(filed.institution);
    let (document_id, line_id) = match (filed.group, place.hospital) {
        (Group::Settlement, true) => (format!("V{}/{}", filed.visit, filed.name), line + 1),
        (Group::Settlement, false) => (msgid(&place.id, filed.occurred_at, filed.name, 0), line + 1),
        _ => (stock_document_id(filed, line, which), 1),
    };
    LineRef {
        institution_id: place.id.clone(),
        group: filed.group.name().to_owned(),
        document_id,
        line_id: line_id.to_string(),
    }
}

/// The document of a row of stock or sales: its type of data, batch, transaction, and what else tells rows apart.
fn stock_document_id(filed: &Filed, line: usize, which: Which) -> String {
    let nothing = RowIdentity { line, pack: None, product: 0, lot: Lot::Month(0), which: String::new() };
    let of_line: Vec<&RowIdentity> = filed.rows.iter().filter(|row| row.line == line).collect();
    let found = match which {
        Which::Row(at) => of_line.get(at).copied(),
        Which::Of(pack) => of_line.iter().copied().find(|row| row.pack == Some(pack.number)),
    };
    let found = found.or_else(|| of_line.first().copied()).unwrap_or(&nothing);
    let RowIdentity { product, lot, which, .. } = found;
    let (batch, hilist) = (filed.name, rows::hilist_id(*product));
    let visit = filed.visit_number.as_deref().unwrap_or_default();
    let time = if filed.by_day {
        day_of(filed.occurred_at).to_string()
    } else {
        Timestamp::from_unix_millis(filed.occurred_at).to_string()
    };
    match filed.kind {
        Kind::Dispense => {
            format!("4/{batch}/3505/{hilist}/{time}/{lot}/{batch}/{visit}/{which}")
        }
        Kind::DispenseReturn => format!("4/{batch}/3506/{hilist}/{time}/{lot}///{which}"),
        Kind::Stocktake => format!("1/{batch}/3501/{hilist}/{time}/{lot}/{which}"),
        kind => format!("2/{batch}/3502-{}/{hilist}/{time}//{which}", rows::change_type(kind)),
    }
}

/// 发送方报文ID: institution, second, and four characters that tell the messages of a second apart.
fn msgid(institution: &str, at: i64, name: Name, part: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut number = name.number * 4 + u64::from(name.again % 2) * 2 + part;
    let mut tail = [b'0'; 4];
    for place in tail.iter_mut().rev() {
        *place = DIGITS[(number % 36) as usize];
        number /= 36;
    }
    let second: String = beijing(at).chars().filter(char::is_ascii_digit).collect();
    format!("{institution}{second}{}", tail.map(char::from).iter().collect::<String>())
}

/// A moment as the interface writes it: `2026-01-05 09:31:02`, Beijing time.
fn beijing(at: i64) -> String {
    let text = Timestamp::from_unix_millis(at).to_string();
    let (day, clock) = (text.get(..10).unwrap_or_default(), text.get(11..19).unwrap_or_default());
    format!("{day} {clock}")
}

/// Who sends which document.
struct Sender<'a> {
    world: &'a World,
    document: &'a Document,
}

impl Sender<'_> {
    /// A message in its envelope.
    fn message(&self, infno: &str, msgid: String, input: Value, output: Option<Value>) -> String {
        let place = self.world.institution(self.document.institution);
        let (region, _) = REGIONS[place.region % REGIONS.len()];
        let mut message = json!({
            "infno": infno,
            "msgid": msgid,
            "mdtrtarea_admvs": region,
            "insuplc_admdvs": region,
            "recer_sys_code": "YBXT",
            "dev_no": "",
            "dev_safe_info": "",
            "cainfo": "",
            "signtype": "SM3",
            "infver": "V1.0",
            "opter_type": "1",
            "opter": "001",
            "opter_name": "收费员",
            "inf_time": beijing(self.document.issued_at),
            "fixmedins_code": place.id,
            "fixmedins_name": place.name,
            "sign_no": "",
            "input": input,
        });
        if let Some(output) = output {
            message["output"] = output;
        }
        if self.world.fills(self.document.institution) {
            careless::fill(&mut message);
        }
        careless::rewrite(self.world.carelessness(self.document.institution), &mut message);
        message.to_string()
    }

    /// A msgid by the moment of sending.
    fn msgid(&self, part: u64) -> String {
        self.msgid_of_box(part, 0)
    }

    /// The same of one message of several, which differ by their second.
    fn msgid_of_box(&self, part: u64, number: usize) -> String {
        let place = self.world.institution(self.document.institution);
        let at = self.document.issued_at + number as i64 * 1000;
        msgid(&place.id, at, self.document.name, part)
    }
}

/// A message of rows: one alone in the plain variant, several in the A variant.
fn of_rows(sender: &Sender<'_>, number: &str, node: &str, part: u64, mut rows: Vec<Value>) -> String {
    if rows.len() == 1 {
        let row = rows.remove(0);
        return sender.message(number, sender.msgid(part), json!({node: row}), None);
    }
    let output = json!({"result": {"retRslt": "1", "msgRslt": "成功"}});
    let input = json!({format!("{node}Detail"): rows});
    sender.message(&format!("{number}A"), sender.msgid(part), input, Some(output))
}

/// 3501 or 3502, behind the purchase's papers where it has some.
fn stock(sender: &Sender<'_>, full: &Full) -> Vec<Message> {
    let row = |make: rows::MakeRow| full.lines.iter().map(|line| make(sender, full, line)).collect();
    let number = if full.kind == Kind::Stocktake { "3501" } else { "3502" };
    let make = if full.kind == Kind::Stocktake { rows::counted } else { rows::changed };
    let codes = of_rows(sender, number, "invinfo", 0, row(make));
    let papers = match full.kind {
        Kind::PurchaseIn => full.supplier.filter(|supplier| supplier.papers).map(|_| "3503"),
        Kind::PurchaseReturn => Some("3504"),
        _ => None,
    };
    let papers = papers.map(|number| of_rows(sender, number, "purcinfo", 1, row(rows::purchased)));
    papers.into_iter().chain([codes]).map(|json| (Group::Procurement, json)).collect()
}

/// 3505 or 3506; one of each box where the sender does so.
fn sales(sender: &Sender<'_>, full: &Full) -> Vec<Message> {
    let number = if full.kind == Kind::Dispense { "3505" } else { "3506" };
    let rows: Vec<Value> =
        by_box(sender, full).iter().map(|(_, line)| rows::sold(sender, full, line)).collect();
    if !sender.world.reports_boxes(sender.document.institution) {
        return vec![(Group::Dispensing, of_rows(sender, number, "selinfo", 0, rows))];
    }
    let of_one = |(at, row): (usize, Value)| {
        let json = sender.message(number, sender.msgid_of_box(0, at), json!({"selinfo": row}), None);
        (Group::Dispensing, json)
    };
    rows.into_iter().enumerate().map(of_one).collect()
}

/// 2204 with a negative count: so much less of the first fee line.
fn refund(sender: &Sender<'_>, line: &Line, visit: u64) -> Message {
    let row = rows::refund(sender, line, &visit_number(visit, false));
    (Group::Settlement, sender.message("2204", sender.msgid(0), json!({"feedetail": [row]}), None))
}

/// 3507: a whole batch, with the purchase that goes with it.
fn deletion(sender: &Sender<'_>, group: Group, target: Name) -> Message {
    let types: &[&str] = match (group, target.letter) {
        (Group::Dispensing, _) => &["4"],
        (_, 'K') => &["1"],
        (_, 'B') => &["2", "3"],
        _ => &["2"],
    };
    let batch = target.to_string();
    let rows: Vec<Value> =
        types.iter().map(|kind| json!({"fixmedins_bchno": batch, "inv_data_type": kind})).collect();
    (Group::Procurement, sender.message("3507", sender.msgid(0), json!({"data": rows}), None))
}

/// 2208 at a hospital, 2103 at a pharmacy.
fn cancel(sender: &Sender<'_>, settlement: u64) -> Message {
    let place = sender.world.institution(sender.document.institution);
    let number = if place.hospital { "2208" } else { "2103" };
    let data = json!({"setl_id": format!("J{settlement}"), "mdtrt_id": format!("V{settlement}")});
    (Group::Settlement, sender.message(number, sender.msgid(0), json!({"data": data}), None))
}

/// 2204 and 2207, or one of them, at a hospital; 2102 at a pharmacy.
fn settlement(sender: &Sender<'_>, full: &Full) -> Vec<Message> {
    let place = sender.world.institution(sender.document.institution);
    if !place.hospital {
        return vec![(Group::Settlement, pharmacy(sender, full))];
    }
    let fees = (full.portion != Portion::Codes).then(|| {
        let rows: Vec<Value> = full.lines.iter().enumerate().map(|at| rows::fee(sender, full, at)).collect();
        sender.message("2204", sender.msgid(1), json!({"feedetail": rows}), None)
    });
    let settled = (full.portion != Portion::Fees).then(|| {
        let mut data = request(full);
        data["mdtrt_id"] = rows::visit_id(full).into();
        data["chrg_bchno"] = sender.document.name.to_string().into();
        let mut input = json!({"data": data});
        add_codes(sender, full, &mut input);
        let answer = full.settlement.map(|_| response(sender, full));
        sender.message("2207", sender.msgid(0), input, answer)
    });
    fees.into_iter().chain(settled).map(|json| (Group::Settlement, json)).collect()
}

/// 2102. Its msgid names the document, so it stays the same when the message is corrected.
fn pharmacy(sender: &Sender<'_>, full: &Full) -> String {
    let place = sender.world.institution(sender.document.institution);
    let msgid = msgid(&place.id, full.occurred_at, sender.document.name, 0);
    let rows: Vec<Value> = full.lines.iter().enumerate().map(|at| rows::fee(sender, full, at)).collect();
    let mut info = request(full);
    info["begntime"] = beijing(full.occurred_at).into();
    let mut input = json!({"druginfo": info, "drugdetail": rows});
    add_codes(sender, full, &mut input);
    sender.message("2102", msgid, input, Some(response(sender, full)))
}

/// The codes of a claim; who leaves them to the hand-over says how many there will be.
fn add_codes(sender: &Sender<'_>, full: &Full, input: &mut Value) {
    if full.bare {
        let count: usize = full.lines.iter().map(|line| line.scans.len()).sum();
        for node in ["data", "druginfo"] {
            if let Some(request) = input.get_mut(node) {
                request["minpacunt_drug_trac_cnt"] = count.to_string().into();
            }
        }
        return;
    }
    input["drug_trac_info"] = rows::traced(sender, full);
}

/// What every settlement's request says.
fn request(full: &Full) -> Value {
    let person = full.person.unwrap_or_default();
    json!({
        "psn_no": PersonNumber(person).to_string(),
        "mdtrt_cert_type": "02",
        "mdtrt_cert_no": PersonCertificate(person).to_string(),
        "med_type": "11",
        "medfee_sumamt": rows::yuan(full.lines.iter().map(|line| line.amount_fen).sum()),
        "psn_setlway": "01",
        "insutype": "310",
        "acct_used_flag": "1",
        "invono": "",
    })
}

/// What the platform answers: the settlement's number and moment, and what the fund pays.
fn response(sender: &Sender<'_>, full: &Full) -> Value {
    let person = full.person.unwrap_or_default();
    let share = i64::from(sender.world.parameters.habits.fund_percent.min(100));
    let fund = full.lines.iter().map(|line| line.amount_fen * share / 100).sum();
    json!({"setlinfo": {
        "setl_id": format!("J{}", full.settlement.unwrap_or_default()),
        "setl_time": beijing(full.occurred_at),
        "psn_no": PersonNumber(person).to_string(),
        "certno": PersonCertificate(person).to_string(),
        "fund_pay_sumamt": rows::yuan(fund),
        "acct_pay": "0.00",
        "medins_setl_id": "",
    }})
}

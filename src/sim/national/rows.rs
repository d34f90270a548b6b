//! Rows of messages: what each transaction of the interface says of one line.

use serde_json::{Value, json};

use super::{Sender, beijing, day_of};
use crate::domain::amount::Money;
use crate::domain::document::Kind;
use crate::sim::document::{Full, Line};
use crate::sim::places::PersonCertificate;
use crate::sim::writer;

/// 费用明细流水号 of a refund's line: behind those of any claim.
const REFUND_LINE: &str = "9001";

/// Makes the row of a line.
pub(super) type MakeRow = fn(&Sender<'_>, &Full, &Line) -> Value;

/// 定点医药机构目录编号: the institutions of the province number their products alike.
pub(super) fn hilist_id(product: u32) -> String {
    format!("H{product:06}")
}

/// 就诊ID of a settlement: that of the visit, else made from the settlement's number.
pub(super) fn visit_id(full: &Full) -> String {
    format!("V{}", full.visit.or(full.settlement).unwrap_or_default())
}

/// Fen as the interface writes money.
pub(super) fn yuan(fen: i64) -> String {
    Money::from_fen(fen).to_string()
}

/// 库存变更类型 of a kind of stock change.
pub(super) fn change_type(kind: Kind) -> &'static str {
    match kind {
        Kind::TransferIn => "101",
        Kind::TransferOut => "102",
        Kind::GainIn => "103",
        Kind::LossOut => "104",
        Kind::Destroyed => "105",
        Kind::OtherIn => "106",
        Kind::PurchaseIn => "108",
        Kind::PurchaseReturn => "109",
        Kind::GiftIn => "110",
        Kind::GiftReturn => "111",
        _ => "107",
    }
}

/// What every row of stock and sales begins with, and its count.
fn stock_row(sender: &Sender<'_>, line: &Line, count: &str) -> Value {
    let (product_code, quantity) = writer::mastered(sender.world, sender.document.institution, line);
    let mut row = json!({
        "med_list_codg": product_code.unwrap_or_default(),
        "fixmedins_hilist_id": hilist_id(line.product),
        "fixmedins_hilist_name": sender.world.catalogue.get(line.product).name,
        "fixmedins_bchno": sender.document.name.to_string(),
        "rx_flag": "1",
        "memo": "",
    });
    row[count] = quantity.to_string().into();
    row
}

/// Adds lot and dates.
fn with_lot(mut row: Value, line: &Line) -> Value {
    row["manu_lotnum"] = line.lot.to_string().into();
    row["manu_date"] = "".into();
    row["expy_end"] = line.lot.expires_on().to_string().into();
    row
}

/// Adds the node of codes, where there are some.
fn with_codes(sender: &Sender<'_>, mut row: Value, line: &Line) -> Value {
    if !line.scans.is_empty() {
        let code = |code: String| json!({"drug_trac_codg": code});
        row["drugtracinfo"] = codes(sender, line).map(code).collect();
    }
    row
}

/// The codes of a line as the scanner gave them.
pub(super) fn codes(sender: &Sender<'_>, line: &Line) -> impl Iterator<Item = String> {
    line.scans.iter().map(|scan| {
        let mut code = String::new();
        writer::write_scan(sender.world, line, scan, "\u{1d}", &mut code);
        code
    })
}

/// 3501.
pub(super) fn counted(sender: &Sender<'_>, full: &Full, line: &Line) -> Value {
    let mut row = with_lot(stock_row(sender, line, "inv_cnt"), line);
    row["invdate"] = beijing(full.occurred_at).into();
    with_codes(sender, row, line)
}

/// 3502.
pub(super) fn changed(sender: &Sender<'_>, full: &Full, line: &Line) -> Value {
    let mut row = stock_row(sender, line, "cnt");
    row["inv_chg_type"] = change_type(full.kind).into();
    row["pric"] = yuan(sender.world.catalogue.get(line.product).price_fen).into();
    row["inv_chg_time"] = beijing(full.occurred_at).into();
    row["trdn_flag"] = "0".into();
    with_codes(sender, row, line)
}

/// 3503 and 3504.
pub(super) fn purchased(sender: &Sender<'_>, full: &Full, line: &Line) -> Value {
    let mut row = with_lot(stock_row(sender, line, "purc_retn_cnt"), line);
    let paper = full.occurred_at / 1000;
    let supplier = full.supplier.map(|supplier| format!("齐鲁医药{}号", supplier.index));
    row["spler_name"] = supplier.unwrap_or_else(|| "无".to_owned()).into();
    row["dynt_no"] = format!("SH{paper}").into();
    row["purc_invo_no"] = format!("FP{paper}").into();
    row["prodentp_name"] = "无".into();
    row["aprvno"] = "无".into();
    row["purc_retn_stoin_time"] = beijing(full.occurred_at).into();
    row["purc_retn_opter_name"] = "库管员".into();
    row["prod_geay_flag"] = "0".into();
    row
}

/// 3505 and 3506.
pub(super) fn sold(sender: &Sender<'_>, full: &Full, line: &Line) -> Value {
    let mut row = with_lot(stock_row(sender, line, "sel_retn_cnt"), line);
    row["trdn_flag"] = u8::from(line.split).to_string().into();
    row["psn_cert_type"] = "01".into();
    row["certno"] = full.person.map(|person| PersonCertificate(person).to_string()).into();
    let time = if full.by_day { day_of(full.occurred_at).to_string() } else { beijing(full.occurred_at) };
    row["sel_retn_time"] = time.into();
    row["sel_retn_opter_name"] = "营业员".into();
    if full.kind == Kind::Dispense {
        row["rtal_docno"] = sender.document.name.to_string().into();
        row["prsc_dr_name"] = "无".into();
        row["mdtrt_sn"] = full.visit_number().into();
        row["setl_id"] = full.settlement.map(|settlement| format!("J{settlement}")).into();
        row["mdtrt_setl_type"] = if full.settlement.or(full.visit).is_some() { "1" } else { "2" }.into();
    }
    with_codes(sender, row, line)
}

/// A line of 2204 or of the `drugdetail` of 2102.
pub(super) fn fee(sender: &Sender<'_>, full: &Full, (at, line): (usize, &Line)) -> Value {
    let (product_code, quantity) = writer::mastered(sender.world, sender.document.institution, line);
    json!({
        "feedetl_sn": (at + 1).to_string(),
        "mdtrt_id": visit_id(full),
        "chrg_bchno": sender.document.name.to_string(),
        "rx_circ_flag": "0",
        "fee_ocur_time": beijing(full.occurred_at),
        "med_list_codg": product_code.unwrap_or_default(),
        "medins_list_codg": hilist_id(line.product),
        "medins_list_name": sender.world.catalogue.get(line.product).name,
        "det_item_fee_sumamt": yuan(line.amount_fen),
        "cnt": quantity.to_string(),
        "pric": yuan(line.amount_fen / i64::from(quantity.max(1))),
        "hosp_appr_flag": "1",
    })
}

/// A line of 2204 that takes something off the first line of its batch.
pub(super) fn refund(sender: &Sender<'_>, line: &Line, visit_id: &str) -> Value {
    let (product_code, quantity) = writer::mastered(sender.world, sender.document.institution, line);
    json!({
        "feedetl_sn": REFUND_LINE,
        "init_feedetl_sn": "1",
        "mdtrt_id": visit_id,
        "chrg_bchno": sender.document.name.to_string(),
        "fee_ocur_time": beijing(sender.document.issued_at),
        "med_list_codg": product_code.unwrap_or_default(),
        "medins_list_codg": hilist_id(line.product),
        "medins_list_name": sender.world.catalogue.get(line.product).name,
        "det_item_fee_sumamt": format!("-{}", yuan(line.amount_fen)),
        "cnt": format!("-{quantity}"),
        "pric": yuan(line.amount_fen / i64::from(quantity.max(1))),
        "hosp_appr_flag": "1",
    })
}

/// `drug_trac_info`: every code with its fee line.
pub(super) fn traced(sender: &Sender<'_>, full: &Full) -> Value {
    let of_line = |(at, line): (usize, &Line)| {
        let split = u8::from(line.split).to_string();
        let entry = move |code: String| {
            json!({
                "feedetl_sn": (at + 1).to_string(),
                "drug_trac_codg": code,
                "trdn_flag": split,
                "min_prcunt_type": "2",
            })
        };
        codes(sender, line).map(entry).collect::<Vec<_>>()
    };
    full.lines.iter().enumerate().flat_map(of_line).collect()
}

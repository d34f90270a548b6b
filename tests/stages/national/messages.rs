//! Messages of the national interface, as short as a test needs them.

use serde_json::{Value, json};

/// 医院.
pub(crate) const HOSPITAL: &str = "H37020300021";
/// 药店.
pub(crate) const PHARMACY: &str = "P37020304446";
/// A product of 20 tablets a pack, codes 8177322….
pub(crate) const PRODUCT: &str = "XR05CBA198A001010100863";
/// A day; times of messages are given as `HH:MM:SS` of it.
pub(crate) const DAY: &str = "2026-01-05";

/// The product.
pub(crate) fn reference() -> Vec<Value> {
    vec![json!({
        "type": "product", "prefix": "8177322", "product_code": PRODUCT, "packs_per_code": 1, "units_per_pack": 20,
    })]
}

/// A code of the product.
pub(crate) fn code(number: u32) -> String {
    format!("8177322{number:013}")
}

/// A message in its envelope; `msgid` is what an alias of the request is made of.
pub(crate) fn message(institution: &str, infno: &str, at: &str, msgid: &str, input: &Value) -> Value {
    json!({
        "infno": infno, "msgid": msgid, "inf_time": format!("{DAY} {at}"), "opter": "0012",
        "fixmedins_code": institution, "input": input,
    })
}

/// 2204, or 2301 where there is no batch: fee lines (number, count, amount).
pub(crate) fn fees(at: &str, visit: &str, batch: Option<&str>, lines: &[(&str, &str, &str)]) -> String {
    let row = |(number, count, amount): &(&str, &str, &str)| {
        json!({
            "feedetl_sn": number, "mdtrt_id": visit, "chrg_bchno": batch, "med_list_codg": PRODUCT,
            "cnt": count, "det_item_fee_sumamt": amount,
        })
    };
    let rows: Vec<Value> = lines.iter().map(row).collect();
    let infno = if batch.is_some() { "2204" } else { "2301" };
    message(HOSPITAL, infno, at, &format!("fees {at}"), &json!({ "feedetail": rows })).to_string()
}

/// 2207, or 2304 where there is no batch, with the response: codes (fee line, code, 拆零).
pub(crate) struct Settlement<'a> {
    pub(crate) at: &'a str,
    pub(crate) visit: &'a str,
    pub(crate) batch: Option<&'a str>,
    pub(crate) id: &'a str,
    pub(crate) person: &'a str,
    pub(crate) fund: &'a str,
    pub(crate) codes: &'a [(&'a str, String, bool)],
}

impl Settlement<'_> {
    /// The message; its msgid is `settle ID`.
    pub(crate) fn message(&self) -> String {
        let code = |(line, code, split): &(&str, String, bool)| {
            json!({
                "feedetl_sn": line, "drug_trac_codg": code, "trdn_flag": if *split { "1" } else { "0" },
                "min_prcunt_type": "2",
            })
        };
        let codes: Vec<Value> = self.codes.iter().map(code).collect();
        let input = json!({
            "data": {"mdtrt_id": self.visit, "chrg_bchno": self.batch, "psn_no": self.person},
            "drug_trac_info": codes,
        });
        let infno = if self.batch.is_some() { "2207" } else { "2304" };
        let mut message = message(HOSPITAL, infno, self.at, &format!("settle {}", self.id), &input);
        message["infcode"] = json!(0);
        message["output"] = json!({"setlinfo": {
            "setl_id": self.id, "setl_time": format!("{DAY} {}", self.at), "fund_pay_sumamt": self.fund,
        }});
        message.to_string()
    }
}

/// A cancellation: one row under `data`.
pub(crate) fn cancel(institution: &str, infno: &str, at: &str, row: &Value) -> String {
    message(institution, infno, at, &format!("cancel {at}"), &json!({ "data": row })).to_string()
}

/// A decision in the form of comparison: lines (number, verdict, reasons).
pub(crate) fn decision(document: &str, payable: &str, lines: &[(&str, &str, &[&str])]) -> Value {
    decision_at(HOSPITAL, document, payable, lines)
}

/// The same of another institution.
pub(crate) fn decision_at(
    institution: &str,
    document: &str,
    payable: &str,
    lines: &[(&str, &str, &[&str])],
) -> Value {
    let worst = |verdict: &str| lines.iter().any(|(_, of_line, _)| *of_line == verdict);
    let verdict = ["refuse", "hold"].into_iter().find(|verdict| worst(verdict)).unwrap_or("pay");
    let line = |(number, verdict, reasons): &(&str, &str, &[&str])| json!({"line_id": number, "verdict": verdict, "reasons": reasons});
    let lines: Vec<Value> = lines.iter().map(line).collect();
    json!({
        "institution_id": institution, "document_id": document, "verdict": verdict, "payable": payable,
        "lines": lines,
    })
}

/// An alert of a line rule of a document's first line.
pub(crate) fn line_alert(rule: &str, institution: &str, group: &str, document: &str, line: &str) -> Value {
    json!({
        "rule": rule, "basis": null, "scope": null, "code": null, "counterpart": null,
        "subject": {
            "institution_id": institution, "group": group, "document_id": document, "line_id": line,
        },
    })
}

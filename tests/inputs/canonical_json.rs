//! Canonical JSON of the message that it is read as: the other way round than the service goes.

use serde_json::{Map, Value};
use tracewarden::wire::pb;
use tracewarden::wire::pb::upload::Line;
use tracewarden::wire::pb::upload::line::TraceCode;

/// Canonical JSON of a message, on one line; what is empty is left out.
pub(crate) fn encode(upload: &pb::Upload) -> String {
    Value::Object(to_object(upload)).to_string()
}

/// Canonical JSON object of a message.
pub(crate) fn to_object(upload: &pb::Upload) -> Map<String, Value> {
    let mut object = Object::default();
    object.text("document_id", &upload.document_id);
    object.text("kind", &upload.kind);
    object.text("institution_id", &upload.institution_id);
    object.text("issued_at", &upload.issued_at);
    object.text("occurred_at", &upload.occurred_at);
    object.flag("partial", upload.partial);
    object.text("person_id", &upload.person_id);
    object.text("person_cert", &upload.person_cert);
    object.text("visit_id", &upload.visit_id);
    object.text("settlement_id", &upload.settlement_id);
    object.text("operator_id", &upload.operator_id);
    object.text("fund_amount", &upload.fund_amount);
    if let Some(counterparty) = &upload.counterparty {
        let mut nested = Object::default();
        nested.text("name", &counterparty.name);
        nested.text("license", &counterparty.license);
        nested.text("delivery_note", &counterparty.delivery_note);
        nested.text("invoice", &counterparty.invoice);
        object.value("counterparty", nested.into());
    }
    if let Some(returns) = &upload.returns {
        let mut nested = Object::default();
        nested.text("document_id", &returns.document_id);
        nested.text("line_id", &returns.line_id);
        object.value("returns", nested.into());
    }
    if let Some(reverses) = &upload.reverses {
        let mut nested = Object::default();
        nested.text("group", &reverses.group);
        nested.text("document_id", &reverses.document_id);
        if let Some(line_id) = &reverses.line_id {
            nested.value("line_id", line_id.as_str().into());
        }
        object.value("reverses", nested.into());
    }
    if let Some(line_id) = &upload.line_id {
        object.value("line_id", line_id.as_str().into());
    }
    object.text("verdict", &upload.verdict);
    if !upload.rules.is_empty() {
        object.value("rules", upload.rules.iter().map(|rule| Value::from(rule.as_str())).collect());
    }
    object.text("ruled_by", &upload.ruled_by);
    object.text("basis", &upload.basis);
    object.text("payment_id", &upload.payment_id);
    object.text("amount", &upload.amount);
    object.text("paid_on", &upload.paid_on);
    object.flag("recovered", upload.recovered);
    object.flag("withdrawn", upload.withdrawn);
    object.text("credential_type", &upload.credential_type);
    object.text("device_id", &upload.device_id);
    object.text("operator_kind", &upload.operator_kind);
    object.text("insured_region", &upload.insured_region);
    object.text("medical_type", &upload.medical_type);
    object.text("account_amount", &upload.account_amount);
    object.text("service", &upload.service);
    object.text("declared_codes", &upload.declared_codes);
    object.text("declared_consumable_codes", &upload.declared_consumable_codes);
    if !upload.lines.is_empty() {
        object.value("lines", upload.lines.iter().map(line_value).collect());
    }
    object.0
}

fn line_value(line: &Line) -> Value {
    let mut object = Object::default();
    object.text("line_id", &line.line_id);
    object.text("product_code", &line.product_code);
    object.text("product_name", &line.product_name);
    object.text("quantity", &line.quantity);
    object.flag("split", line.split);
    object.text("amount", &line.amount);
    object.text("fund_amount", &line.fund_amount);
    object.text("lot", &line.lot);
    object.text("expires_on", &line.expires_on);
    object.text("adjusts", &line.adjusts);
    object.text("rx_id", &line.rx_id);
    object.flag("rx_external", line.rx_external);
    object.text("prescriber_id", &line.prescriber_id);
    object.text("pharmacist_id", &line.pharmacist_id);
    object.text("department_id", &line.department_id);
    object.text("days_supply", &line.days_supply);
    if line.trace_codes_present || !line.trace_codes.is_empty() {
        object.value("trace_codes", line.trace_codes.iter().map(code_value).collect());
    }
    object.into()
}

fn code_value(code: &TraceCode) -> Value {
    if code.units.is_empty() {
        return code.code.as_str().into();
    }
    let mut object = Object::default();
    object.value("code", code.code.as_str().into());
    object.text("units", &code.units);
    object.into()
}

/// An object under construction.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn value(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.value(name, text.into());
        }
    }

    fn flag(&mut self, name: &str, flag: Option<bool>) {
        if let Some(flag) = flag {
            self.value(name, flag.into());
        }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

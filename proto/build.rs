//! Compiles the contracts in `proto/tracewarden` with protox, so that no `protoc` has to be installed, and lists
//! every field with its number, so that a test can hold the numbers still.

use std::path::{Path, PathBuf};

use protox::prost_reflect::DescriptorPool;

const FOLDER: &str = "proto/tracewarden/v1";

/// Messages whose JSON form has the same fields: one definition of the contract for both formats.
const OUTBOUND: [&str; 18] = [
    "tracewarden.v1.SourceRecord",
    "tracewarden.v1.Alert",
    "tracewarden.v1.AlertSide",
    "tracewarden.v1.AlertPerson",
    "tracewarden.v1.AlertProduct",
    "tracewarden.v1.AlertAttributes",
    "tracewarden.v1.AlertCode",
    "tracewarden.v1.AlertCause",
    "tracewarden.v1.AlertText",
    "tracewarden.v1.AlertParty",
    "tracewarden.v1.Decision",
    "tracewarden.v1.DecisionClaim",
    "tracewarden.v1.DecisionLine",
    "tracewarden.v1.LentCode",
    "tracewarden.v1.LentFrom",
    "tracewarden.v1.DeadLetter",
    "tracewarden.v1.DeadLetterText",
    "tracewarden.v1.SenderDay",
];
const ABSENT_WHEN_NONE: &str = "#[serde(default, skip_serializing_if = \"Option::is_none\")]";
const ABSENT_WHEN_EMPTY: &str = "#[serde(default, skip_serializing_if = \"Vec::is_empty\")]";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(FOLDER)? {
        files.push(entry?.path());
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "proto"));
    files.sort();
    let descriptors = protox::compile(&files, ["proto"])?;

    let out = std::env::var("OUT_DIR")?;
    let pool = DescriptorPool::from_file_descriptor_set(descriptors.clone())?;
    std::fs::write(Path::new(&out).join("field-numbers.txt"), field_numbers(&pool))?;
    let mut config = prost_build::Config::new();
    for outbound in OUTBOUND {
        config.type_attribute(outbound, "#[derive(serde::Serialize, serde::Deserialize)]");
    }
    config.field_attribute("AlertSide.source", ABSENT_WHEN_NONE);
    config.field_attribute("DecisionLine.lent", "#[serde(default)]");
    config.field_attribute("DecisionLine.overruled", "#[serde(default)]");
    for field in
        ["shortfall", "need", "used", "content", "estimate", "count", "grace_hours", "evidence_omitted"]
    {
        config.field_attribute(format!("AlertAttributes.{field}"), ABSENT_WHEN_NONE);
    }
    for field in ["reason", "codes"] {
        config.field_attribute(format!("AlertAttributes.{field}"), ABSENT_WHEN_EMPTY);
    }
    for field in ["invalid", "product_code", "product_name", "lent_from"] {
        config.field_attribute(format!("AlertCode.{field}"), ABSENT_WHEN_NONE);
    }
    config.btree_map(["."]);
    config.compile_fds(descriptors)?;
    Ok(())
}

/// One line per field and enum value: `message.field = number cardinality kind`, sorted.
fn field_numbers(pool: &DescriptorPool) -> String {
    let mut lines = Vec::new();
    for message in pool.all_messages() {
        for field in message.fields() {
            let (name, number) = (field.full_name(), field.number());
            let cardinality = if field.is_list() {
                "repeated"
            } else if field.supports_presence() {
                "optional"
            } else {
                "single"
            };
            lines.push(format!("{name} = {number} {cardinality} {:?}\n", field.kind()));
        }
    }
    for values in pool.all_enums() {
        for value in values.values() {
            lines.push(format!("{} = {}\n", value.full_name(), value.number()));
        }
    }
    lines.sort();
    lines.concat()
}

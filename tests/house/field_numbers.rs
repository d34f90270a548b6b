//! Field numbers of the Protobuf contracts are never changed nor used again: old records must stay readable.

const COMPILED: &str = include_str!(concat!(env!("OUT_DIR"), "/field-numbers.txt"));

#[test]
fn every_listed_field_has_its_number_still_and_every_field_is_listed() {
    let path = "proto/field-numbers.txt";
    if std::env::var_os("UPDATE_FIELD_NUMBERS").is_some() {
        std::fs::write(path, COMPILED).unwrap();
    }
    let listed = std::fs::read_to_string(path).unwrap();
    let compiled: std::collections::BTreeSet<&str> = COMPILED.lines().collect();
    let listed: std::collections::BTreeSet<&str> = listed.lines().collect();

    let broken: Vec<&&str> = listed.difference(&compiled).collect();
    assert!(broken.is_empty(), "changed or gone, which makes old records unreadable: {broken:#?}");
    let unlisted: Vec<&&str> = compiled.difference(&listed).collect();
    assert!(
        unlisted.is_empty(),
        "new fields are not protected yet; run this test with UPDATE_FIELD_NUMBERS=1: {unlisted:#?}"
    );
}

//! What the bytes are, and that they can be read by who knows more.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::domain::document::Group;
use crate::domain::rules::RuleId;
use crate::domain::rules::catalogue::RULES;

proptest! {
    #[test]
    fn any_text_survives(texts in prop::collection::vec("[0-9]{0,300}|[0-9A-Z]{0,9}|\\PC{0,9}", 0..9)) {
        prop_assert_eq!(read::<Vec<String>>(&bytes(&texts)).unwrap(), texts);
    }
}

/// As a program knew it, and as one knows it to which a field was added.
#[derive(Debug, PartialEq)]
struct Before {
    name: String,
    count: u64,
}

#[derive(Debug, PartialEq)]
struct After {
    name: String,
    count: u64,
    note: Option<u32>,
    is_late: bool,
}

impl Form for String {
    fn write(&self, to: &mut Writer) {
        to.text(self);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        from.text().map(|text| text.to_string())
    }
}

structures! {
    Before { 0 name, 1 count }
    After { 0 name, 1 count, 2 note, 3 is_late }
}

fn bytes(value: &impl Form) -> Vec<u8> {
    let mut writer = Writer::of_value();
    value.write(&mut writer);
    writer.bytes().to_vec()
}

fn read<T: Form>(bytes: &[u8]) -> Result<T, WireError> {
    let mut reader = Reader::new(bytes);
    let value = T::read(&mut reader)?;
    reader.ends().map(|()| value)
}

#[test]
fn a_field_that_was_added_is_absent_in_what_was_written_before() {
    let before = Before { name: "box".into(), count: 300 };
    let after = After { name: "box".into(), count: 300, note: None, is_late: false };
    assert_eq!(read::<After>(&bytes(&before)).unwrap(), after);
    assert_eq!(read::<Before>(&bytes(&after)).unwrap(), before, "while nobody says it, nothing changes");
    let said = After { note: Some(0), is_late: true, ..after };
    assert_eq!(read::<After>(&bytes(&said)).unwrap(), said);
    let refused = read::<Before>(&bytes(&said)).unwrap_err().to_string();
    assert!(refused.contains("Before has a field that a newer program wrote"), "{refused}");
}

#[test]
fn a_field_that_must_be_there_is_named() {
    assert_eq!(read::<Before>(&[0]), Err(WireError::Field { field: "Before.name" }));
}

#[test]
fn an_unknown_alternative_is_named_and_not_guessed() {
    assert_eq!(read::<Group>(&[3]), Ok(Group::Settlement));
    for unknown in [0, 9] {
        assert_eq!(read::<Group>(&[unknown]), Err(WireError::Field { field: "Group" }));
    }
    assert_eq!(read::<RuleId>(&[0]), Err(WireError::Field { field: "rule" }));
}

#[test]
fn every_rule_is_found_by_its_name_and_by_its_number() {
    for entry in RULES {
        assert_eq!(RuleId::from_name(entry.name), Some(entry.id));
        assert_eq!(read::<RuleId>(&bytes(&entry.id)), Ok(entry.id));
        assert_eq!(RuleId::from_number(entry.number), Some(entry.id));
    }
}

#[test]
fn a_very_long_number_is_read_as_far_as_its_bytes_go() {
    let digits = "7".repeat(3_000_001);
    assert_eq!(read::<String>(&bytes(&digits)), Ok(digits));
}

#[test]
fn texts_come_once_and_digits_take_half() {
    let name = |name: &str| Before { name: name.into(), count: 0 };
    let twice = vec![name("81000009772430815365"), name("81000009772430815365")];
    // Two of them; a word of fields, twenty digits in ten bytes; a word of fields, the text with the number 0.
    let expected =
        [&[2, 1, 20 << 2 | 2][..], &[0x81, 0, 0, 0x09, 0x77, 0x24, 0x30, 0x81, 0x53, 0x65], &[1, 0]];
    assert_eq!(bytes(&twice), expected.concat());
    assert_eq!(read::<Vec<Before>>(&bytes(&twice)).unwrap(), twice);
}

#[test]
fn what_is_taken_back_leaves_no_trace() {
    let mut writer = Writer::of_value();
    writer.text("a");
    let mark = writer.mark();
    writer.text("b");
    writer.moment(7);
    writer.back_to(mark);
    writer.text("c");
    writer.text("b");
    writer.text("a");
    writer.moment(1);
    let bytes = writer.bytes().to_vec();
    let mut reader = Reader::new(&bytes);
    let texts =
        [reader.text().unwrap(), reader.text().unwrap(), reader.text().unwrap(), reader.text().unwrap()];
    assert_eq!(texts.each_ref().map(|text| &**text), ["a", "c", "b", "a"]);
    assert_eq!((reader.moment().unwrap(), reader.is_at_end()), (1, true));
}

//! A patient's whole course told in messages: after each step what the step did can be seen.

use std::fmt::Write as _;

use super::run::{SHAPES, run, shuffled};
use crate::support::cases;
use oracle::Answer;

#[test]
fn each_step_of_a_course_does_what_its_story_says() {
    let mut report = String::new();
    let mut courses = 0;
    for sample in cases::national().iter().filter(|sample| sample.name().starts_with("course-")) {
        courses += 1;
        let steps = cases::values(&sample.folder.join("expected-steps.ndjson"));
        assert!(steps.len() >= sample.uploads.len() / 2, "{}: steps are missing", sample.name());
        for step in &steps {
            let lines = step["lines"].as_u64().expect("a number of lines") as usize;
            let messages = &sample.uploads[..lines];
            let expected = Answer::from_json(step);
            let told = run(&sample.reference, messages, step["until"].as_str(), SHAPES[0]);
            let mut complaint = told.complaint(&expected);
            // What holds after a step does not depend on the order in which it came about.
            let other = run(&sample.reference, &shuffled(messages, 7), step["until"].as_str(), SHAPES[2]);
            let _ = write!(complaint, "{}", other.complaint(&expected));
            if !complaint.is_empty() {
                let _ = writeln!(report, "{} after {lines}: {}\n{complaint}", sample.name(), step["story"]);
            }
        }
    }
    assert_eq!(courses, 3);
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}

//! A run of messages through all stages, in shapes and orders that must make no difference.

use serde_json::{Value, json};

use crate::support::local::{Ended, feed, finish, shaped, start};
use oracle::world::dice::Dice;

/// Batch sizes and partition counts that must make no difference.
pub(crate) const SHAPES: [(usize, u16); 4] = [(1000, 1), (1, 1), (7, 3), (1000, 4)];

/// Runs messages to the end.
pub(crate) fn run(records: &[Value], messages: &[String], until: Option<&str>, shape: (usize, u16)) -> Ended {
    let mut local = start(records, &shaped(shape));
    feed(&mut local, messages);
    finish(local, until)
}

/// What is compared of a run's dead letters: by partition they come in another order.
pub(crate) fn compared(dead_letters: &[Value]) -> Vec<Value> {
    let mut letters: Vec<Value> = dead_letters.iter().map(dead_letter).collect();
    letters.sort_by_key(|letter| (letter["line"].as_u64(), letter["field"].to_string()));
    letters
}

/// What of a dead letter is compared.
pub(crate) fn dead_letter(letter: &Value) -> Value {
    let sentence = letter["sentence"].as_str().unwrap_or_default();
    assert!(sentence.ends_with('.') && sentence.len() > 20, "no sentence for a human: {letter}");
    let [zh, en] = ["zh", "en"].map(|language| letter["text"][language].as_str().unwrap_or_default());
    assert!(zh.ends_with('。') && en == sentence, "no sentence for a Chinese sender: {letter}");
    let line = match &letter["source"]["offset"] {
        Value::String(text) => text.parse().map_or(Value::Null, |line: u64| json!(line)),
        offset => offset.clone(),
    };
    json!({"line": line, "reason": letter["reason"], "field": letter["field"]})
}

/// The same messages in another order, some of them twice.
pub(crate) fn shuffled(messages: &[String], seed: u64) -> Vec<String> {
    let dice = &mut Dice::new(seed);
    let mut shuffled = messages.to_vec();
    for message in messages {
        if dice.chance(30) {
            shuffled.push(message.clone());
        }
    }
    dice.shuffle(&mut shuffled);
    shuffled
}

/// Every order of a few messages.
pub(crate) fn permutations(messages: &[String]) -> Vec<Vec<String>> {
    let Some((first, rest)) = messages.split_first() else {
        return vec![Vec::new()];
    };
    let insert = |order: Vec<String>| {
        let at = move |position: usize| {
            let mut order = order.clone();
            order.insert(position, first.clone());
            order
        };
        (0..=rest.len()).map(at)
    };
    permutations(rest).into_iter().flat_map(insert).collect()
}

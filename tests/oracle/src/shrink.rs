//! Makes a small world of one that fails: drops uploads, then lines, then codes, then fields, then reference
//! records, as long as it still fails.

use serde_json::Value;

use super::world::World;

/// A world that still fails and from which nothing more can be dropped alone.
pub fn shrink(world: World, still_fails: &dyn Fn(&World) -> bool) -> World {
    let mut smallest = world;
    read_texts(&mut smallest, still_fails);
    loop {
        let before = smallest.clone();
        drop_in_chunks(&mut smallest, still_fails, |world| &mut world.uploads);
        drop_in_chunks(&mut smallest, still_fails, |world| &mut world.reference);
        for at in 0..smallest.uploads.len() {
            for pointer in elements_and_fields(&smallest.uploads[at]) {
                drop_one(&mut smallest, still_fails, |world| &mut world.uploads[at], &pointer);
            }
        }
        for at in 0..smallest.reference.len() {
            for pointer in elements_and_fields(&smallest.reference[at]) {
                drop_one(&mut smallest, still_fails, |world| &mut world.reference[at], &pointer);
            }
        }
        if smallest == before {
            return smallest;
        }
    }
}

/// Puts objects in place of uploads as they were written, where how they were written does not matter.
fn read_texts(smallest: &mut World, still_fails: &dyn Fn(&World) -> bool) {
    for at in 0..smallest.uploads.len() {
        let text = smallest.uploads[at].as_str();
        let Some(object) = text.and_then(|text| serde_json::from_str::<Value>(text).ok()) else { continue };
        let mut read = smallest.clone();
        read.uploads[at] = object;
        if still_fails(&read) {
            *smallest = read;
        }
    }
}

/// Drops halves, quarters, … and single elements of a list.
fn drop_in_chunks(
    smallest: &mut World,
    still_fails: &dyn Fn(&World) -> bool,
    list: impl Fn(&mut World) -> &mut Vec<Value>,
) {
    let mut chunk = list(smallest).len().div_ceil(2);
    while chunk > 0 {
        let mut start = 0;
        while start < list(smallest).len() {
            let mut smaller = smallest.clone();
            let values = list(&mut smaller);
            let end = (start + chunk).min(values.len());
            values.drain(start..end);
            if still_fails(&smaller) {
                *smallest = smaller;
            } else {
                start += chunk;
            }
        }
        chunk /= 2;
    }
}

/// A place in a value: names and indices from the outside in.
type Place = Vec<String>;

/// What could be dropped: lines first, then codes, then fields; later elements of a list before earlier ones, so
/// that dropping one does not move those still to be tried.
fn elements_and_fields(value: &Value) -> Vec<Place> {
    let mut places = Vec::new();
    collect(value, &mut Vec::new(), &mut places);
    let is_element = |place: &Place| place.last().is_some_and(|name| name.parse::<usize>().is_ok());
    places.sort_by_key(|place| (!is_element(place), place.len()));
    places
}

fn collect(value: &Value, at: &mut Place, places: &mut Vec<Place>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(values) => {
            values.iter().enumerate().rev().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => return,
    };
    for (name, child) in children {
        at.push(name);
        places.push(at.clone());
        collect(child, at, places);
        at.pop();
    }
}

fn drop_one(
    smallest: &mut World,
    still_fails: &dyn Fn(&World) -> bool,
    value: impl Fn(&mut World) -> &mut Value,
    place: &Place,
) {
    let mut smaller = smallest.clone();
    let Some((name, path)) = place.split_last() else { return };
    let mut parent = Some(value(&mut smaller));
    for step in path {
        parent = parent.and_then(|parent| match parent {
            Value::Object(fields) => fields.get_mut(step),
            Value::Array(values) => step.parse::<usize>().ok().and_then(|index| values.get_mut(index)),
            _ => None,
        });
    }
    let is_dropped = match parent {
        Some(Value::Object(fields)) => fields.remove(name).is_some(),
        Some(Value::Array(values)) => match name.parse::<usize>() {
            Ok(index) if index < values.len() => {
                values.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    };
    if is_dropped && still_fails(&smaller) {
        *smallest = smaller;
    }
}

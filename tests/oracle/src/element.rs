//! Rules §1.5: GS1 *element strings*, bracketed and raw.

use super::clean::GS;
use super::code::all_digits;

/// The elements of an element string, each AI once: "of a repeated AI the first counts".
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Elements(Vec<(String, String)>);

impl Elements {
    /// Reads an element string; nothing of any other text.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if text.starts_with('(') {
            return bracketed(text).map(Self);
        }
        with_lost_separators(text).or_else(|| raw_as_it_stands(text)).map(Self)
    }

    /// The value of an AI.
    pub(crate) fn value(&self, ai: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == ai).map(|(_, value)| value.as_str())
    }
}

type Pairs = Vec<(String, String)>;

/// "bracketed `(AI)value…` without brackets in values, where one GS before a bracket or at the end is passed
/// over"; "in bracketed text a value of an AI other than 01, 10 and 21 that breaks any of these rules, an empty one
/// too, is passed over".
fn bracketed(text: &str) -> Option<Pairs> {
    let mut pairs = Vec::new();
    for part in text.strip_prefix('(')?.split('(') {
        let (ai, value) = part.split_once(')')?;
        let value = value.strip_suffix(GS).unwrap_or(value);
        if !is_known_ai(ai) || value.contains(')') {
            return None;
        }
        if value_is_right(ai, value) {
            pairs.push((ai.to_owned(), value.to_owned()));
        } else if ["01", "10", "21"].contains(&ai) {
            return None;
        }
    }
    Some(pairs)
}

/// An element of raw text, and whether it ended at a GS.
struct RawElement<'a> {
    ai: &'a str,
    value: &'a str,
    /// Where the GS after it stands, passed over or not.
    gs_at: Option<usize>,
}

/// "raw, fixed-length AIs by the predefined-length table …, the others ending at GS or the end, a GS after a
/// fixed-length AI passed over".
fn raw(text: &str) -> Option<Vec<RawElement<'_>>> {
    let mut elements = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let ai = (2..=4).filter_map(|length| rest.get(..length)).find(|ai| is_known_ai(ai))?;
        let after = &rest[ai.len()..];
        let value = match predefined_value_length(ai) {
            Some(length) => after.get(..length)?,
            None => after.split(GS).next()?,
        };
        if !value_is_right(ai, value) {
            return None;
        }
        at += ai.len() + value.len();
        let gs_at = text[at..].starts_with(GS).then_some(at);
        at += usize::from(gs_at.is_some());
        elements.push(RawElement { ai, value, gs_at });
    }
    Some(elements)
}

fn owned(elements: Vec<RawElement>) -> Pairs {
    elements.into_iter().map(|element| (element.ai.to_owned(), element.value.to_owned())).collect()
}

/// "Raw text without AI 01 is one only when it holds a GS or one of AI 00, 8006, 8026; raw text of exactly 20
/// digits only when it begins with `01`."
fn raw_as_it_stands(text: &str) -> Option<Pairs> {
    let elements = raw(text).filter(|elements| !elements.is_empty())?;
    let has = |ais: &[&str]| elements.iter().any(|element| ais.contains(&element.ai));
    let is_one = has(&["01"]) || text.contains(GS) || has(&["00", "8006", "8026"]);
    let is_twenty_digits = text.len() == 20 && all_digits(text) && !text.starts_with("01");
    (is_one && !is_twenty_digits).then(|| owned(elements))
}

/// "*Lost separators*: where raw text holds `_` or `?`, and with every `_` and `?` read as GS it is an element string
/// with AI 01 in which each of those GS follows a serial or a lot and is followed by AI 10, 21, or 11, 13, 15, 17
/// with six digits, it is read so, also where it would be none, or another, as it stands."
fn with_lost_separators(text: &str) -> Option<Pairs> {
    if !text.contains(['_', '?']) {
        return None;
    }
    let restored = text.replace(['_', '?'], "\u{1D}");
    let elements = raw(&restored)?;
    let is_explained = |at: usize| {
        elements.windows(2).any(|pair| {
            pair[0].gs_at == Some(at)
                && ["21", "10"].contains(&pair[0].ai)
                && ["10", "21", "11", "13", "15", "17"].contains(&pair[1].ai)
        })
    };
    let lost = text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'_' | b'?'));
    let all_explained = lost.into_iter().all(|(at, _)| is_explained(at));
    let has_number = elements.iter().any(|element| element.ai == "01");
    (all_explained && has_number).then(|| owned(elements))
}

/// "values of character set 82 without brackets, not empty; fixed-length values are digits of full length …; serial
/// (21) and lot (10) 1–20 characters".
fn value_is_right(ai: &str, value: &str) -> bool {
    let in_set = |byte: u8| byte.is_ascii_alphanumeric() || b"!\"%&'*+,-./:;<=>?_".contains(&byte);
    let right_length = match predefined_value_length(ai) {
        Some(length) => value.len() == length && all_digits(value),
        None if ai == "21" || ai == "10" => (1..=20).contains(&value.len()),
        None => !value.is_empty(),
    };
    right_length && value.bytes().all(in_set)
}

/// The length of the value of an AI of the predefined-length table (there with the AI itself counted), "by their
/// first two digits".
fn predefined_value_length(ai: &str) -> Option<usize> {
    let with_ai = match ai.get(..2)? {
        "00" => 20,
        "01" | "02" | "03" => 16,
        "04" => 18,
        "11" | "12" | "13" | "14" | "15" | "16" | "17" | "18" | "19" => 8,
        "20" => 4,
        "31" | "32" | "33" | "34" | "35" | "36" => 10,
        "41" => 16,
        _ => return None,
    };
    Some(with_ai - ai.len())
}

/// "*Known AIs*"
pub(crate) fn is_known_ai(ai: &str) -> bool {
    if !all_digits(ai) {
        return false;
    }
    let number: u32 = ai.parse().unwrap_or(u32::MAX);
    match ai.len() {
        2 => matches!(number, 0..=3 | 10..=13 | 15..=17 | 20..=22 | 30 | 37 | 90..=99),
        3 => matches!(
            number,
            235 | 240..=243 | 250 | 251 | 253..=255 | 400..=403 | 410..=417 | 420..=427 | 710..=717
        ),
        4 => match number {
            3100..=3499 | 3500..=3579 | 3600..=3699 | 3950..=3959 => number % 10 <= 5,
            3900..=3939 => true,
            3940..=3949 => number % 10 <= 3,
            _ => matches!(
                number,
                4300..=4326 | 4330..=4333 | 7001..=7011 | 7020..=7023 | 7030..=7041 | 7230..=7242
                    | 7250..=7259 | 8001..=8014 | 8017..=8020 | 8026 | 8030 | 8110..=8112 | 8200
            ),
        },
        _ => false,
    }
}

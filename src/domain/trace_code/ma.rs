//! MA codes (中关村工信二维码, ISO/IEC 15459 issuing agency `MA`): nodes joined by dots.
//!
//! The device identifier (UDI-DI) is five nodes, `MA.156.M0.100012.12345678`; what follows are production nodes,
//! each tagged by its first letter: S serial, L lot, M made, D sterilisation lot, V valid until, E expiry. The last
//! character of the fifth node is a check whose algorithm is not public, so it is not verified. Of a repeated tag
//! the first counts, as with GS1.

use super::{Family, Text, TraceCode};

/// The code, when every node is in its place.
pub(super) fn parse(text: &str) -> Option<TraceCode> {
    let upper = text.to_ascii_uppercase();
    let mut nodes = upper.split('.');
    let mut identifier = String::new();
    for position in 0..5 {
        let node = nodes.next().filter(|node| is_node(node))?;
        if position == 0 && node != "MA" {
            return None;
        }
        if position > 0 {
            identifier.push('.');
        }
        identifier.push_str(node);
    }
    let (mut serial, mut lot) = (None, None);
    for node in nodes {
        let mut characters = node.chars();
        let tag = characters.next()?;
        let value = Some(characters.as_str()).filter(|value| is_node(value))?;
        match tag {
            'S' => serial = serial.or(Some(value)),
            'L' => lot = lot.or(Some(value)),
            'M' | 'D' | 'V' | 'E' => {}
            _ => return None,
        }
    }
    let normal = match (serial, lot) {
        (Some(serial), _) => format!("{identifier}.S{serial}"),
        (None, Some(lot)) => format!("{identifier}.L{lot}"),
        (None, None) => identifier.clone(),
    };
    Some(TraceCode {
        normal: normal.into(),
        family: Family::Ma,
        prefix: Some(Text::from(identifier)),
        is_unit: serial.is_some(),
    })
}

/// Visible ASCII without blanks; the dot is gone already.
fn is_node(node: &str) -> bool {
    !node.is_empty() && node.bytes().all(|byte| byte.is_ascii_graphic())
}

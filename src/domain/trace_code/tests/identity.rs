//! One pack has one identity, whichever carrier is scanned by whichever reader.

use super::*;

/// What a pack's label says.
#[derive(Clone, Debug)]
struct Pack {
    gtin: String,
    serial: String,
    lot: String,
    expiry: String,
}

fn with_check_digit(gtin: &str) -> String {
    let digit = (0..10).find(|digit| gs1::mod_10_is_right(&format!("{gtin}{digit}")));
    format!("{gtin}{}", digit.unwrap_or(0))
}

/// A serial may hold what a reader or program could take for its own marks; none of it may begin one of them.
fn pack() -> impl Strategy<Value = Pack> {
    let text = || "[A-Za-z][0-9A-Za-z./+*:;,!&=>-]{0,19}";
    let expiry = "[23][0-9](0[1-9]|1[0-2])[0-2][0-9]";
    ("[01][0-9]{12}", text(), text(), expiry).prop_map(|(gtin, serial, lot, expiry)| Pack {
        gtin: with_check_digit(&gtin),
        serial,
        lot,
        expiry,
    })
}

impl Pack {
    /// The elements in the given order, AI and value.
    fn elements(&self, order: &[&'static str]) -> Vec<(&'static str, &str)> {
        let value = |identifier: &str| match identifier {
            "01" => self.gtin.as_str(),
            "21" => &self.serial,
            "10" => &self.lot,
            _ => &self.expiry,
        };
        order.iter().map(|identifier| (*identifier, value(identifier))).collect()
    }

    fn bracketed(&self, order: &[&'static str], between: &str) -> String {
        let elements = self.elements(order).into_iter();
        elements.map(|(identifier, value)| format!("({identifier}){value}")).collect::<Vec<_>>().join(between)
    }

    /// Raw text, `separator` where a value of any length is not the last.
    fn raw(&self, order: &[&'static str], separator: &str) -> String {
        let mut text = String::new();
        let mut is_open = false;
        for (identifier, value) in self.elements(order) {
            if is_open {
                text.push_str(separator);
            }
            text.push_str(identifier);
            text.push_str(value);
            is_open = matches!(identifier, "10" | "21");
        }
        text
    }

    /// A web address, the pairs of `path` in the path and those of `query` behind it.
    fn link(&self, path: &[&'static str], query: &[&'static str]) -> String {
        let encoded = |value: &str| value.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let pairs = self.elements(path).into_iter();
        let pairs: String =
            pairs.map(|(identifier, value)| format!("/{identifier}/{}", encoded(value))).collect();
        let parameters = self.elements(query).into_iter();
        let parameters: Vec<String> =
            parameters.map(|(identifier, value)| format!("{identifier}={}", encoded(value))).collect();
        format!("https://id.example/x/01/{}{pairs}?linkType=all&{}#top", self.gtin, parameters.join("&"))
    }

    fn carriers(&self) -> Vec<String> {
        let orders: [&[&str]; 5] = [
            &["01", "21", "17", "10"],
            &["01", "17", "10", "21"],
            &["17", "01", "10", "21"],
            &["21", "01", "10", "17"],
            &["10", "17", "21", "01"],
        ];
        let mut carriers = Vec::new();
        for order in orders {
            carriers.extend(["", GS].map(|between| self.bracketed(order, between)));
            carriers.extend(
                [GS, "{GS}", "<fnc1>", "%1d", "~029", "|", "^", "␝", "\\u001D"].map(|s| self.raw(order, s)),
            );
        }
        for order in [&["01", "21", "17", "10"], &["01", "10", "21", "17"], &["17", "01", "21", "10"]] {
            carriers.extend(["_", "?"].map(|lost| self.raw(order, lost)));
        }
        carriers.push(self.link(&["21"], &["17", "10"]));
        carriers.push(self.link(&["10", "21"], &[]));
        carriers.push(self.link(&[], &["21", "10"]));
        carriers
    }
}

proptest! {
    #[test]
    fn every_carrier_of_a_pack_gives_one_identity(pack in pack()) {
        let normal = format!("(01){}(21){}", pack.gtin, pack.serial);
        let expected = unit(Family::Gs1, &normal, Some(&pack.gtin));
        for carrier in pack.carriers() {
            prop_assert_eq!(super::normal(&carrier), expected.clone(), "{}", carrier);
            let full_width = carrier.replace('(', "（").replace(')', "）").replace('1', "１");
            for scanned in [
                format!("]d2{carrier}"),
                format!("{GS}{carrier}{GS}"),
                format!("]C1{GS}{carrier}\r\n"),
                format!("'{carrier}"),
                format!("\"{carrier}\""),
                format!("\u{feff}\u{200b}{carrier}\0\0"),
                full_width,
            ] {
                prop_assert_eq!(super::normal(&scanned), expected.clone(), "{}", scanned);
            }
        }
    }

    #[test]
    fn without_a_serial_the_lot_is_what_every_carrier_names(pack in pack()) {
        let normal = format!("(01){}(10){}", pack.gtin, pack.lot);
        for carrier in [
            pack.bracketed(&["10", "01", "17"], ""),
            pack.raw(&["01", "17", "10"], GS),
            pack.raw(&["10", "01", "17"], "^"),
            pack.raw(&["01", "10", "17"], "_"),
            pack.link(&["10"], &["17"]),
            pack.link(&[], &["17", "10"]),
        ] {
            prop_assert_eq!(super::normal(&carrier), lot(Family::Gs1, &normal, &pack.gtin), "{}", carrier);
        }
    }
}

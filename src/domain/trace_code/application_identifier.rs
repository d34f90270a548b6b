//! The GS1 application identifiers (AIs): which exist, and the form of their values.
//!
//! From the table of the GS1 General Specifications, release 25. Values are judged by character set and length
//! only; AIs with a narrower set (8010, 8030) are judged by character set 82 as the rest. A later release may add
//! AIs: then a row is added here.

/// Form of the values of one AI, or of a run of AIs with the same form.
#[derive(Clone, Copy)]
pub(super) struct ApplicationIdentifier {
    /// How many digits the AI has; AIs are prefix-free, so the width follows from the first two.
    width: u8,
    first: u16,
    last: u16,
    /// This many digits come first.
    digits: u8,
    /// Then at least this many characters …
    more_min: u8,
    /// … and at most this many, …
    more_max: u8,
    /// … digits as well, or of character set 82.
    numeric: bool,
}

/// `digits` digits.
const fn n(width: u8, first: u16, last: u16, digits: u8) -> ApplicationIdentifier {
    ApplicationIdentifier { width, first, last, digits, more_min: 0, more_max: 0, numeric: true }
}

/// `digits` digits, then `more_min` to `more_max` more.
const fn nn(
    width: u8,
    (first, last): (u16, u16),
    digits: u8,
    (more_min, more_max): (u8, u8),
) -> ApplicationIdentifier {
    ApplicationIdentifier { width, first, last, digits, more_min, more_max, numeric: true }
}

/// 1 to `max` characters.
const fn x(width: u8, first: u16, last: u16, max: u8) -> ApplicationIdentifier {
    nx(width, (first, last), 0, (1, max))
}

/// `digits` digits, then `more_min` to `more_max` characters.
const fn nx(
    width: u8,
    (first, last): (u16, u16),
    digits: u8,
    (more_min, more_max): (u8, u8),
) -> ApplicationIdentifier {
    ApplicationIdentifier { width, first, last, digits, more_min, more_max, numeric: false }
}

/// In order of (width, first).
const TABLE: &[ApplicationIdentifier] = &[
    n(2, 0, 0, 18),
    n(2, 1, 3, 14),
    x(2, 10, 10, 20),
    n(2, 11, 13, 6),
    n(2, 15, 17, 6),
    n(2, 20, 20, 2),
    x(2, 21, 22, 20),
    nn(2, (30, 30), 0, (1, 8)),
    nn(2, (37, 37), 0, (1, 8)),
    x(2, 90, 90, 30),
    x(2, 91, 99, 90),
    x(3, 235, 235, 28),
    x(3, 240, 241, 30),
    nn(3, (242, 242), 0, (1, 6)),
    x(3, 243, 243, 20),
    x(3, 250, 251, 30),
    nx(3, (253, 253), 13, (0, 17)),
    x(3, 254, 254, 20),
    nn(3, (255, 255), 13, (0, 12)),
    x(3, 400, 401, 30),
    n(3, 402, 402, 17),
    x(3, 403, 403, 30),
    n(3, 410, 417, 13),
    x(3, 420, 420, 20),
    nx(3, (421, 421), 3, (1, 9)),
    n(3, 422, 422, 3),
    nn(3, (423, 423), 3, (0, 12)),
    n(3, 424, 424, 3),
    nn(3, (425, 425), 3, (0, 12)),
    n(3, 426, 426, 3),
    x(3, 427, 427, 3),
    x(3, 710, 717, 20),
    n(4, 3100, 3105, 6),
    n(4, 3110, 3115, 6),
    n(4, 3120, 3125, 6),
    n(4, 3130, 3135, 6),
    n(4, 3140, 3145, 6),
    n(4, 3150, 3155, 6),
    n(4, 3160, 3165, 6),
    n(4, 3200, 3205, 6),
    n(4, 3210, 3215, 6),
    n(4, 3220, 3225, 6),
    n(4, 3230, 3235, 6),
    n(4, 3240, 3245, 6),
    n(4, 3250, 3255, 6),
    n(4, 3260, 3265, 6),
    n(4, 3270, 3275, 6),
    n(4, 3280, 3285, 6),
    n(4, 3290, 3295, 6),
    n(4, 3300, 3305, 6),
    n(4, 3310, 3315, 6),
    n(4, 3320, 3325, 6),
    n(4, 3330, 3335, 6),
    n(4, 3340, 3345, 6),
    n(4, 3350, 3355, 6),
    n(4, 3360, 3365, 6),
    n(4, 3370, 3375, 6),
    n(4, 3400, 3405, 6),
    n(4, 3410, 3415, 6),
    n(4, 3420, 3425, 6),
    n(4, 3430, 3435, 6),
    n(4, 3440, 3445, 6),
    n(4, 3450, 3455, 6),
    n(4, 3460, 3465, 6),
    n(4, 3470, 3475, 6),
    n(4, 3480, 3485, 6),
    n(4, 3490, 3495, 6),
    n(4, 3500, 3505, 6),
    n(4, 3510, 3515, 6),
    n(4, 3520, 3525, 6),
    n(4, 3530, 3535, 6),
    n(4, 3540, 3545, 6),
    n(4, 3550, 3555, 6),
    n(4, 3560, 3565, 6),
    n(4, 3570, 3575, 6),
    n(4, 3600, 3605, 6),
    n(4, 3610, 3615, 6),
    n(4, 3620, 3625, 6),
    n(4, 3630, 3635, 6),
    n(4, 3640, 3645, 6),
    n(4, 3650, 3655, 6),
    n(4, 3660, 3665, 6),
    n(4, 3670, 3675, 6),
    n(4, 3680, 3685, 6),
    n(4, 3690, 3695, 6),
    nn(4, (3900, 3909), 0, (1, 15)),
    nn(4, (3910, 3919), 3, (1, 15)),
    nn(4, (3920, 3929), 0, (1, 15)),
    nn(4, (3930, 3939), 3, (1, 15)),
    n(4, 3940, 3943, 4),
    n(4, 3950, 3955, 6),
    x(4, 4300, 4301, 35),
    x(4, 4302, 4306, 70),
    nx(4, (4307, 4307), 0, (2, 2)),
    x(4, 4308, 4308, 30),
    n(4, 4309, 4309, 20),
    x(4, 4310, 4311, 35),
    x(4, 4312, 4316, 70),
    nx(4, (4317, 4317), 0, (2, 2)),
    x(4, 4318, 4318, 20),
    x(4, 4319, 4319, 30),
    x(4, 4320, 4320, 35),
    n(4, 4321, 4323, 1),
    n(4, 4324, 4325, 10),
    n(4, 4326, 4326, 6),
    nx(4, (4330, 4333), 6, (0, 1)),
    n(4, 7001, 7001, 13),
    x(4, 7002, 7002, 30),
    n(4, 7003, 7003, 10),
    nn(4, (7004, 7004), 0, (1, 4)),
    x(4, 7005, 7005, 12),
    n(4, 7006, 7006, 6),
    nn(4, (7007, 7007), 6, (0, 6)),
    x(4, 7008, 7008, 3),
    x(4, 7009, 7009, 10),
    x(4, 7010, 7010, 2),
    nn(4, (7011, 7011), 6, (0, 4)),
    x(4, 7020, 7022, 20),
    x(4, 7023, 7023, 30),
    nx(4, (7030, 7039), 3, (1, 27)),
    nx(4, (7040, 7040), 1, (3, 3)),
    x(4, 7041, 7041, 4),
    nx(4, (7230, 7239), 0, (3, 30)),
    x(4, 7240, 7240, 20),
    n(4, 7241, 7241, 2),
    x(4, 7242, 7242, 25),
    n(4, 7250, 7250, 8),
    n(4, 7251, 7251, 12),
    n(4, 7252, 7252, 1),
    x(4, 7253, 7254, 40),
    x(4, 7255, 7255, 10),
    x(4, 7256, 7256, 90),
    x(4, 7257, 7257, 70),
    nx(4, (7258, 7258), 1, (2, 2)),
    x(4, 7259, 7259, 40),
    n(4, 8001, 8001, 14),
    x(4, 8002, 8002, 20),
    nx(4, (8003, 8003), 14, (0, 16)),
    x(4, 8004, 8004, 30),
    n(4, 8005, 8005, 6),
    n(4, 8006, 8006, 18),
    x(4, 8007, 8007, 34),
    nn(4, (8008, 8008), 8, (0, 4)),
    x(4, 8009, 8009, 50),
    x(4, 8010, 8010, 30),
    nn(4, (8011, 8011), 0, (1, 12)),
    x(4, 8012, 8012, 20),
    x(4, 8013, 8014, 25),
    n(4, 8017, 8018, 18),
    nn(4, (8019, 8019), 0, (1, 10)),
    x(4, 8020, 8020, 25),
    n(4, 8026, 8026, 18),
    x(4, 8030, 8030, 90),
    x(4, 8110, 8110, 70),
    n(4, 8111, 8111, 4),
    x(4, 8112, 8112, 70),
    x(4, 8200, 8200, 70),
];

/// The AI that a text begins with, when there is such an AI.
pub(super) fn at_start(text: &str) -> Option<ApplicationIdentifier> {
    (2_u8..=4).find_map(|width| {
        let digits = text.get(..usize::from(width)).filter(|digits| super::is_digits(digits))?;
        let number: u16 = digits.parse().ok()?;
        let next = TABLE.partition_point(|row| (row.width, row.first) <= (width, number));
        let row = TABLE.get(next.checked_sub(1)?)?;
        (row.width == width && number <= row.last).then_some(*row)
    })
}

impl ApplicationIdentifier {
    /// How many digits the AI has.
    pub(super) fn width(&self) -> usize {
        usize::from(self.width)
    }

    /// Whether the value has the right length and characters.
    pub(super) fn accepts(&self, value: &str) -> bool {
        let Some((digits, more)) = value.split_at_checked(usize::from(self.digits)) else {
            return false;
        };
        let lengths = usize::from(self.more_min)..=usize::from(self.more_max);
        digits.bytes().all(|byte| byte.is_ascii_digit())
            && lengths.contains(&more.len())
            && more.bytes().all(|byte| if self.numeric { byte.is_ascii_digit() } else { is_in_set_82(byte) })
    }
}

/// Character set 82, less the brackets, which delimit AIs where they are printed.
fn is_in_set_82(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!\"%&'*+,-./:;<=>?_".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_no_identifier_begins_another() {
        assert!(TABLE.is_sorted_by(|a, b| (a.width, a.last) < (b.width, b.first)));
        for row in TABLE {
            for number in row.first..=row.last {
                let digits = format!("{number:0width$}", width = row.width());
                assert_eq!(
                    at_start(&digits).map(|found| (found.width, found.first)),
                    Some((row.width, row.first))
                );
            }
        }
    }
}

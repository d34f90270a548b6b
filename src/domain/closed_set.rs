//! Closed sets of names: enums whose values have one stable name each. Declared so that no list of the values and no
//! name can be forgotten.

/// Declares an enum with `ALL`, its values in the order of the declaration, and `name`.
macro_rules! closed_set {
    (
        $(#[$about_set:meta])*
        pub enum $set:ident { $($(#[$about:meta])* $value:ident = $name:literal,)+ }
    ) => {
        $(#[$about_set])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $set { $($(#[$about])* $value,)+ }

        impl $set {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The stable name, as it stands in what is published.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name),+ }
            }
        }
    };
}

pub(crate) use closed_set;

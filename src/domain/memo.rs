//! What is known for the sake of speed alone.

/// Something that is not kept with the state it belongs to, because it only spares work that would come to the same: two
/// states are equal whatever they know of it, and who knows nothing works all of it out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memo<T>(pub T);

impl<T> PartialEq for Memo<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Memo<T> {}

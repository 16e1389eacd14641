//! Objects that one specification has in common with the next.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// An object that specifications share for as long as nobody writes to it; who writes gets a copy of his own.
///
/// Two that share are known to be equal without a look at what is in them.
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// Whether both are the very same object.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<T> for Shared<T> {
    fn from(object: T) -> Self {
        Self(Arc::new(object))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: Eq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || **self == **other
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_to_one_leaves_the_other_as_it_was() {
        let first = Shared::from(vec![1]);
        let mut second = first.clone();
        assert!(first.is(&second));
        second.push(2);
        assert!(!first.is(&second));
        assert_eq!((&*first, &*second), (&vec![1], &vec![1, 2]));
    }

    #[test]
    fn equal_objects_are_equal_also_if_not_shared() {
        assert_eq!(Shared::from(7), Shared::from(7));
        assert_ne!(Shared::from(7), Shared::from(8));
    }
}

/// Defines a wrapper: a value of another type in a form of its own, with what its users expect of one.
macro_rules! wrapper {
    ($(#[$meta:meta])* $name:ident) => { wrapper! { $(#[$meta])* $name<> } };
    ($(#[$meta:meta])* $name:ident<$(const $bound:ident: $type:ty = $default:literal)?>) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<T $(, const $bound: $type = $default)?>(pub T);

        impl<T $(, const $bound: $type)?> $name<T $(, $bound)?> {
            /// Returns the value.
            pub fn into_inner(self) -> T {
                self.0
            }
        }

        impl<T $(, const $bound: $type)?> From<T> for $name<T $(, $bound)?> {
            fn from(value: T) -> Self {
                Self(value)
            }
        }

        impl<T $(, const $bound: $type)?> std::ops::Deref for $name<T $(, $bound)?> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.0
            }
        }

        impl<T $(, const $bound: $type)?> std::ops::DerefMut for $name<T $(, $bound)?> {
            fn deref_mut(&mut self) -> &mut T {
                &mut self.0
            }
        }
    };
}

pub(super) use wrapper;

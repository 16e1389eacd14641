//! The table of keys: for every object of the lab file its keys, whether they are required, and what they mean.
//!
//! The type of a key comes from the draft; a key that the draft has and the table lacks does not compile.

mod gateway;
mod instance;
mod internet;
mod later;
mod peering;
mod rules;
mod settings;
mod vpc;

use model::draft;

/// Describes the keys of one object, and so how it is read and what its schema says.
macro_rules! object {
    ($type:ty, $name:literal, $about:literal; $($field:ident $(as $key:literal)?: $need:ident $doc:literal;)+) => {
        impl $crate::shape::Read for $type {
            fn shape() -> $crate::shape::Shape {
                $crate::shape::Shape::Object($crate::shape::Object {
                    name: $name,
                    about: $about,
                    keys: vec![$($crate::shape::Key {
                        name: $crate::keys::key!($field $($key)?),
                        need: $crate::shape::Need::$need,
                        about: $doc,
                        shape: $crate::shape::of_field(|object: &Self| &object.$field),
                    }),+],
                })
            }

            fn read(
                node: &$crate::node::Node,
                what: &str,
                found: &mut model::findings::Findings,
            ) -> Option<Self> {
                const KEYS: &[&str] = &[$($crate::keys::key!($field $($key)?)),+];
                let map = $crate::shape::Mapping::of(node, what, KEYS, found)?;
                Some(Self { spot: node.spot, $($field: map.field($crate::keys::key!($field $($key)?), found)),+ })
            }
        }
    };
}

/// The text of a key: its own, or the name of the field.
macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}

/// Lists the words of a closed choice.
macro_rules! choice {
    ($type:ty; $($word:literal => $variant:ident),+) => {
        impl $crate::shape::Choice for $type {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];
        }
    };
}

use {choice, key, object};

object! { draft::Lab, "Lab", "A lab: VPCs on this host, each instance a network namespace.";
    lab: Required "Name of the lab; its namespaces are called LAB-INSTANCE.";
    account: Optional "Account that owns what names no other: 12 digits in quotes. Default \"123456789012\".";
    region: Optional "Region of what names no other. Default us-east-1.";
    vpcs: Optional "VPCs by name.";
    peerings: Optional "Peering connections by name.";
    prefix_lists: Optional "Customer-managed prefix lists by name.";
    internet: Optional "The network outside every VPC.";
    buckets: Optional "Buckets of the object store by name.";
    principals: Optional "Who signs requests, by name.";
    settings: Optional "Knobs.";
}

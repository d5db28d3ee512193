//! Cells of the table in which the product is known to be wrong, each with its reason. A cell that comes right again must be
//! taken off: the tests fail until it is.

use super::{Layout, Provocation, Share};

/// A layout (none: each), a provocation (none: the healthy world), and why.
pub const KNOWN: [(Option<Layout>, Option<Provocation>, &str); 1] = [(
    None,
    Some(Provocation::JsonReference(Share::Some)),
    "a list of keys resembles none of them, and beside values that are keys, or with fewer than four others, it is no \
     silent source",
)];

pub fn reason(layout: Layout, provocation: Option<Provocation>) -> Option<&'static str> {
    let is_it = |(of, what, _): &&(Option<Layout>, Option<Provocation>, &str)| {
        of.is_none_or(|of| of == layout) && *what == provocation
    };
    KNOWN.iter().find(is_it).map(|(_, _, reason)| *reason)
}

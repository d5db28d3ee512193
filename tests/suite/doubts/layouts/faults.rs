//! Cells of the table in which the product is known to be wrong, each with its reason. A cell that comes right again must be
//! taken off: the tests fail until it is.

use super::{Layout, Provocation};

/// A layout (none: each), a provocation (none: the healthy world), and why.
type Cell = (Option<Layout>, Option<Provocation>, &'static str);

pub const KNOWN: [Cell; 0] = [];

pub fn reason(layout: Layout, provocation: Option<Provocation>) -> Option<&'static str> {
    let is_it = |(of, what, _): &&Cell| of.is_none_or(|of| of == layout) && *what == provocation;
    KNOWN.iter().find(is_it).map(|(_, _, reason)| *reason)
}

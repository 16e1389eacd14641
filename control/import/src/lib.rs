//! Text to draft with source positions, and findings to text.
//!
//! [`load`] is the way in: the text of a lab file becomes a checked [`Valid`] lab or the list of everything that is wrong with it.
//! [`yaml::read`] stops before the check. [`render()`] prints findings with the lines they are about, and [`schema()`] is the
//! JSON Schema of the file.
//!
//! One table of keys, the module `keys`, feeds the reader, its "did you mean" and the schema, so the three cannot disagree. Reading
//! the file itself is the caller's business.

#![forbid(unsafe_code)]

mod keys;
mod node;
mod render;
mod schema;
mod shape;
pub mod yaml;

use model::Valid;
use model::findings::Findings;

pub use render::{Look, render};
pub use schema::schema;

/// Reads and checks a lab file. `name` is what messages call the text. The warnings come with the lab.
///
/// # Errors
/// Everything that was found, if at least one finding is an error: what has the wrong shape and what breaks a rule, together.
pub fn load(name: &str, text: &str) -> Result<(Valid, Findings), Findings> {
    let (draft, mut found) = yaml::read_all(name, text);
    let Some(draft) = draft else { return Err(found) };
    match model::check(&draft) {
        Ok((valid, warnings)) => {
            found.append(warnings);
            if found.has_errors() { Err(found) } else { Ok((valid, found)) }
        }
        Err(more) => {
            found.append(more);
            Err(found)
        }
    }
}

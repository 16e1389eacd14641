//! YAML to draft.

mod tree;

use model::draft::Lab;
use model::findings::{Code, Finding, Findings};
use model::spot::Spot;

use crate::node::{Node, Value};
use crate::shape::Read;

/// Reads a lab file without checking more than its shape. `name` is what messages call the text.
///
/// # Errors
/// Every syntax error, unknown or repeated key and value of the wrong shape.
pub fn read(name: &str, text: &str) -> Result<Lab, Findings> {
    match read_all(name, text) {
        (Some(draft), found) if found.is_empty() => Ok(draft),
        (_, found) => Err(found),
    }
}

/// Reads as much as can be read, so that checks can go on beside the findings.
pub(crate) fn read_all(name: &str, text: &str) -> (Option<Lab>, Findings) {
    let mut found = Findings::default();
    let draft = match tree::parse(text) {
        Ok(Node { value: Value::Null, .. }) => {
            let finding = Finding::new(Code::YamlSyntax, Spot::default(), format!("{name} is empty"));
            found.push(finding.help("a lab file starts with `lab: NAME` and lists `vpcs`"));
            None
        }
        Ok(node) => Lab::read(&node, "the file", &mut found),
        Err(finding) => {
            found.push(finding);
            None
        }
    };
    (draft, found)
}

//! The outcome as JUnit XML, for continuous integration.

use std::fmt::Write as _;

use super::judge::{Judged, Result as Verdict};

/// One test suite: a case for each row, and one more for each row on which probe and `explain` disagree.
pub(crate) fn document(lab: &str, file: &str, rows: &[Judged]) -> String {
    let count = |verdict| rows.iter().filter(|row| row.result == verdict).count();
    let disagreements = rows.iter().filter(|row| row.disagreement.is_some()).count();
    let (tests, errors) = (rows.len() + disagreements, count(Verdict::Error) + disagreements);
    let totals = format!("tests=\"{tests}\" failures=\"{}\" errors=\"{errors}\"", count(Verdict::Failed));
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = escaped(&format!("{lab}: {file}"));
    // Writing to a String cannot fail.
    let _ = writeln!(xml, "<testsuites {totals}>\n  <testsuite name=\"{name}\" {totals}>");
    for row in rows {
        case(&mut xml, lab, file, row);
        if let Some(disagreement) = &row.disagreement {
            let name = format!("{} (probe and explain agree)", title(row));
            failing(&mut xml, lab, file, row.line, &name, ("error", "disagreement"), disagreement);
        }
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn title(row: &Judged) -> String {
    let by = row.by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
    format!("{} -> {} {} {}{by}", row.from, row.to, row.traffic, row.expect)
}

fn case(xml: &mut String, lab: &str, file: &str, row: &Judged) {
    let kind = match row.result {
        Verdict::Passed => {
            let _ = writeln!(xml, "    <testcase {}/>", attributes(lab, file, row.line, &title(row)));
            return;
        }
        Verdict::Error => ("error", "not-tried"),
        Verdict::Failed => ("failure", "expectation"),
    };
    failing(xml, lab, file, row.line, &title(row), kind, &row.sentence());
}

fn failing(
    xml: &mut String,
    lab: &str,
    file: &str,
    line: usize,
    name: &str,
    (element, kind): (&str, &str),
    message: &str,
) {
    let _ = writeln!(
        xml,
        "    <testcase {}>\n      <{element} type=\"{kind}\" message=\"{}\"/>\n    </testcase>",
        attributes(lab, file, line, name),
        escaped(message),
    );
}

fn attributes(lab: &str, file: &str, line: usize, name: &str) -> String {
    let (lab, file, name) = (escaped(lab), escaped(file), escaped(name));
    format!("classname=\"{lab}\" name=\"{name}\" file=\"{file}\" line=\"{line}\"")
}

/// Text as an attribute value. Control characters cannot be written in XML 1.0 (section 2.2) and become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(result: Verdict) -> Judged {
        Judged {
            line: 3,
            from: "web-1".into(),
            to: "db<1>".into(),
            traffic: "tcp 5432".into(),
            expect: "allowed",
            by: None,
            seen: "refused",
            reason: Some("ENI_SG_RULES_MISMATCH".into()),
            decided_by: Vec::new(),
            result,
            detail: Some("\"a\" & 'b'\n".into()),
            disagreement: None,
        }
    }

    #[test]
    fn a_failure_is_named_with_its_ends_and_escaped() {
        let xml = document("shop", "checks.yaml", &[row(Verdict::Failed)]);
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
            <testsuites tests=\"1\" failures=\"1\" errors=\"0\">\n  \
            <testsuite name=\"shop: checks.yaml\" tests=\"1\" failures=\"1\" errors=\"0\">\n    \
            <testcase classname=\"shop\" name=\"web-1 -&gt; db&lt;1&gt; tcp 5432 allowed\" file=\"checks.yaml\" line=\"3\">\n      \
            <failure type=\"expectation\" message=\"from web-1 to db&lt;1&gt; tcp 5432: expected allowed, seen refused \
            (ENI_SG_RULES_MISMATCH); &quot;a&quot; &amp; &apos;b&apos; \"/>\n    \
            </testcase>\n  </testsuite>\n</testsuites>\n";
        assert_eq!(xml, expected);
    }

    #[test]
    fn a_disagreement_is_a_case_of_its_own() {
        let row = Judged { disagreement: Some("explain says otherwise".into()), ..row(Verdict::Passed) };
        let xml = document("shop", "c.yaml", &[row]);
        assert_eq!(xml.matches("<testcase").count(), 2);
        assert!(xml.contains("tests=\"2\" failures=\"0\" errors=\"1\""), "{xml}");
        assert!(xml.contains("<error type=\"disagreement\" message=\"explain says otherwise\"/>"), "{xml}");
    }
}

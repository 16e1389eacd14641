//! Tables and JSON on standard output.

use std::io::{IsTerminal as _, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::args::low::Output;
use crate::error::Error;

/// Where answers go.
pub(crate) type Out<'a> = &'a mut dyn Write;

/// One line of a table, which is one object of a JSON array.
pub(crate) trait Row: Serialize {
    /// Headings of the columns.
    const COLUMNS: &'static [&'static str];

    /// Columns, counted from 0, that hold numbers.
    const NUMBERS: &'static [usize] = &[];

    /// What stands in each column.
    fn cells(&self) -> Vec<String>;
}

/// Writes rows as asked for.
pub(crate) fn rows<R: Row>(out: Out<'_>, output: Output, rows: &[R]) -> Result<(), Error> {
    match output {
        Output::Json => json(out, rows),
        Output::Table => Ok(writeln!(out, "{}", table(rows))?),
    }
}

/// Writes one JSON document.
pub(crate) fn json<T: Serialize + ?Sized>(out: Out<'_>, value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Bug(error.to_string()))?;
    Ok(writeln!(out, "{text}")?)
}

/// Writes one line of JSON, for output that never ends.
pub(crate) fn json_line<T: Serialize>(out: Out<'_>, value: &T) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(|error| Error::Bug(error.to_string()))?;
    Ok(writeln!(out, "{text}")?)
}

/// Columns wrap at the width of a terminal and stay whole in a pipe, where `grep` and `awk` read them.
pub(crate) fn table<R: Row>(rows: &[R]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(R::COLUMNS);
    table.set_content_arrangement(match std::io::stdout().is_terminal() {
        true => ContentArrangement::Dynamic,
        false => ContentArrangement::Disabled,
    });
    for row in rows {
        table.add_row(row.cells());
    }
    for &column in R::NUMBERS {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// Texts in one cell.
pub(crate) fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if texts.is_empty() { "-".to_owned() } else { texts.join(", ") }
}

/// One row on one line, for output that never ends.
pub(crate) fn line<R: Row>(row: &R) -> String {
    row.cells().join("  ")
}

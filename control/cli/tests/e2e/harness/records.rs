//! Flow-log records as maps from field to value, with the windows of one flow added up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// All records of one flow log.
#[derive(Debug)]
pub(crate) struct Records(Vec<BTreeMap<String, String>>);

/// Packets and bytes of the records of one kind, whatever windows they are spread over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

impl Records {
    /// Reads a file whose lines have the fields of `format`, such as `${srcaddr} ${action}`.
    pub(crate) fn read(path: &Path, format: &str) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let fields: Vec<&str> = format.split(' ').map(|f| f.trim_matches(&['$', '{', '}'][..])).collect();
        let record = |line: &str| {
            let values: Vec<&str> = line.split(' ').collect();
            assert_eq!(values.len(), fields.len(), "`{line}` has one value for each of {format}");
            fields.iter().zip(values).map(|(field, value)| ((*field).to_owned(), value.to_owned())).collect()
        };
        Self(text.lines().map(record).collect())
    }

    /// The records whose fields have these values, `FIELD=VALUE …`.
    pub(crate) fn with(&self, conditions: &str) -> Self {
        let conditions = conditions.split(' ').map(|c| c.split_once('=').expect("FIELD=VALUE"));
        let conditions: Vec<(&str, &str)> = conditions.collect();
        let fits = |record: &BTreeMap<String, String>| {
            conditions.iter().all(|(field, value)| record.get(*field).is_some_and(|is| is == value))
        };
        Self(self.0.iter().filter(|record| fits(record)).cloned().collect())
    }

    /// Records of packets, without those that say that there were none.
    pub(crate) fn of_traffic(&self) -> Self {
        self.with("log-status=OK")
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn sum(&self) -> Sum {
        let add = |field: &str| self.0.iter().map(|r| number(&r[field])).sum();
        Sum { packets: add("packets"), bytes: add("bytes") }
    }

    /// Bitwise or of a field over all windows.
    pub(crate) fn or(&self, field: &str) -> u64 {
        self.0.iter().map(|r| number(&r[field])).fold(0, |all, value| all | value)
    }

    /// Distinct values of some fields with what their records add up to, each as `VALUE VALUE … PACKETS BYTES`.
    pub(crate) fn table(&self, fields: &str) -> Vec<String> {
        let row = |values: String| {
            let pairs = fields.split(' ').zip(values.split(' '));
            let conditions: Vec<String> = pairs.map(|(field, value)| format!("{field}={value}")).collect();
            let Sum { packets, bytes } = self.with(&conditions.join(" ")).sum();
            format!("{values} {packets} {bytes}")
        };
        self.distinct(fields).into_iter().map(row).collect()
    }

    /// Distinct values of some fields, each as `VALUE VALUE …`.
    pub(crate) fn distinct(&self, fields: &str) -> BTreeSet<String> {
        let values = |r: &BTreeMap<String, String>| {
            fields.split(' ').map(|field| r[field].as_str()).collect::<Vec<_>>().join(" ")
        };
        self.0.iter().map(values).collect()
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

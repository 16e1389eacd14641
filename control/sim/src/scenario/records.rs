//! Flow-log lines against what a file expects of them.

use std::collections::BTreeMap;

use engine::Time;
use flowlog::{Field, Format, Line, ParsedLine, parse_line};
use model::lab::Lab;

use super::file::Scalar;
use super::trail;
use crate::Trial;

/// One expected line: values by field name.
type Wanted = BTreeMap<String, Scalar>;

/// Formats and names of all flow logs that the scenario has seen.
#[derive(Debug, Default)]
pub(super) struct Records {
    formats: BTreeMap<String, (String, Format)>,
    begin: Option<Time>,
}

impl Records {
    /// Takes note of the flow logs in force.
    pub(super) fn learn(&mut self, trial: &Trial) {
        self.begin = self.begin.or_else(|| Some(trial.now()));
        let logs = trial.world().valid().lab().vpcs.values().flat_map(|vpc| &vpc.flow_logs);
        for log in logs {
            let format = Format::parse(&log.format).unwrap_or(Format::DEFAULT);
            self.formats.insert(log.id.clone(), (log.name.clone(), format));
        }
    }

    /// Compares the lines since the last call with `expected`, in any order. NODATA lines count only if one is expected.
    pub(super) fn check(&self, trial: &mut Trial, expected: &[Wanted]) -> Result<(), String> {
        let lines = trial.take_lines().map_err(|complaint| complaint.to_string())?;
        let lab = trial.world().valid().lab();
        let empty_ones = expected.iter().any(is_no_data);
        let parsed = lines.iter().map(|line| self.parse(line)).collect::<Result<Vec<_>, _>>()?;
        let parsed: Vec<_> = parsed
            .into_iter()
            .filter(|(_, line)| empty_ones || line.get(Field::LogStatus) != Some("NODATA"))
            .collect();
        let fits = |wanted: &Wanted, (log, line): &(&str, ParsedLine<'_>)| self.fits(lab, wanted, log, line);
        if expected.len() == parsed.len() && assign(expected, &parsed, &fits) {
            return Ok(());
        }
        let found: Vec<_> = parsed.iter().map(|(log, line)| format!("{log}: {line}")).collect();
        Err(format!("expected {} lines {expected:#?}, got {} {found:#?}", expected.len(), found.len()))
    }

    fn parse<'l>(&self, line: &'l Line) -> Result<(&str, ParsedLine<'l>), String> {
        let (name, format) = self.formats.get(&*line.flow_log).ok_or("a line of an unknown flow log")?;
        parse_line(format, &line.text)
            .map(|parsed| (name.as_str(), parsed))
            .map_err(|error| error.to_string())
    }

    fn fits(&self, lab: &Lab, wanted: &Wanted, log: &str, line: &ParsedLine<'_>) -> bool {
        wanted.iter().all(|(name, value)| match name.as_str() {
            "log" => value.to_string() == log,
            "line" => self.is_line(lab, &value.to_string(), line),
            "interface" => line
                .get(Field::InterfaceId)
                .is_some_and(|id| trail::interface(lab, id) == trail::short(&value.to_string())),
            "start" | "end" => {
                Field::from_name(name).and_then(|field| line.number(field)).is_some_and(|seconds| {
                    Scalar::Number(seconds - self.begin()).to_string() == value.to_string()
                })
            }
            _ => Field::from_name(name)
                .is_some_and(|field| line.get(field).unwrap_or("-") == value.to_string()),
        })
    }

    /// Compares word by word; `{web}` is the id of an interface and `{+5}` a time.
    fn is_line(&self, lab: &Lab, wanted: &str, line: &ParsedLine<'_>) -> bool {
        let line = line.to_string();
        let same = |wanted: &str, got: &str| match wanted
            .strip_prefix('{')
            .and_then(|word| word.strip_suffix('}'))
        {
            Some(word) => match word.strip_prefix('+').and_then(|seconds| seconds.parse::<u64>().ok()) {
                Some(seconds) => got == (self.begin() + seconds).to_string(),
                None => trail::interface(lab, got) == word,
            },
            None => wanted == got,
        };
        wanted.split(' ').count() == line.split(' ').count()
            && wanted.split(' ').zip(line.split(' ')).all(|(w, g)| same(w, g))
    }

    /// Unix seconds of the scenario's start.
    fn begin(&self) -> u64 {
        self.begin.unwrap_or_default().secs()
    }
}

fn is_no_data(wanted: &Wanted) -> bool {
    wanted.get("log-status").is_some_and(|status| status.to_string() == "NODATA")
}

/// Whether every expected line can have a line of its own.
fn assign<T>(expected: &[Wanted], lines: &[T], fits: &dyn Fn(&Wanted, &T) -> bool) -> bool {
    let mut holder: Vec<Option<usize>> = vec![None; lines.len()];
    (0..expected.len()).all(|wanted| {
        let mut tried = vec![false; lines.len()];
        seat(wanted, expected, lines, fits, &mut holder, &mut tried)
    })
}

/// Gives `wanted` a line, moving others on if need be (augmenting paths of a bipartite matching).
fn seat<T>(
    wanted: usize,
    expected: &[Wanted],
    lines: &[T],
    fits: &dyn Fn(&Wanted, &T) -> bool,
    holder: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for (n, line) in lines.iter().enumerate() {
        if tried[n] || !fits(&expected[wanted], line) {
            continue;
        }
        tried[n] = true;
        if holder[n].is_none_or(|other| seat(other, expected, lines, fits, holder, tried)) {
            holder[n] = Some(wanted);
            return true;
        }
    }
    false
}

//! What the figures were taken on, and how much of it others had.

use std::fs;

use serde::Serialize;

use crate::error::Error;

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Model of its processor.
    pub processor: String,
    /// Processors that this program may use.
    pub processors: usize,
    /// Megabytes of memory.
    pub memory_mb: u64,
    /// Release of the kernel.
    pub kernel: String,
}

impl Machine {
    /// Looks at it. What cannot be read stays empty.
    #[must_use]
    pub fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let memory_kb = field(&read("/proc/meminfo"), "MemTotal");
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name"),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_mb: memory_kb.trim_end_matches(" kB").parse().unwrap_or(0) / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

/// The first `NAME : VALUE` of a file of `/proc`.
fn field(text: &str, name: &str) -> String {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(key, _)| key.trim() == name);
    found.map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

/// Processor time of all processors since the machine started, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ProcessorTime {
    /// In which it did anything at all.
    pub(crate) busy: f64,
    /// That a hypervisor gave to others while somebody here wanted it.
    pub(crate) steal: f64,
    /// All of it, idle included.
    pub(crate) all: f64,
}

impl ProcessorTime {
    pub(crate) fn now() -> Result<Self, Error> {
        let text = fs::read_to_string("/proc/stat").map_err(Error::machine("read /proc/stat"))?;
        Ok(Self::parse(&text))
    }

    /// Reads the sum of all processors: user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)).
    fn parse(text: &str) -> Self {
        let sum = text.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
        let ticks: Vec<f64> = sum.split_whitespace().take(8).filter_map(|word| word.parse().ok()).collect();
        let at = |index: usize| ticks.get(index).copied().unwrap_or(0.0) / TICKS_A_SECOND;
        let all: f64 = (0..8).map(at).sum();
        Self { busy: all - at(3) - at(4) - at(7), steal: at(7), all }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self { busy: self.busy - before.busy, steal: self.steal - before.steal, all: self.all - before.all }
    }
}

/// Processor time of one process with all its threads, in seconds.
pub(crate) fn process_time(process: u32) -> Result<f64, Error> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).map_err(Error::machine(format!("read {path}")))?;
    Ok(parse_process(&text))
}

/// Reads user and system time, the 14th and 15th field; the second one ends with the last parenthesis (proc_pid_stat(5)).
fn parse_process(text: &str) -> f64 {
    let fields = text.rsplit_once(") ").map_or("", |(_, rest)| rest).split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS_A_SECOND
}

/// `USER_HZ`, which user space sees on every architecture but one that is gone (time(7)).
const TICKS_A_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_neither_idle_nor_stolen() {
        let before = ProcessorTime::parse("cpu  100 0 0 0 0 0 0 0 0 0\ncpu0 1 1 1 1\n");
        let after = ProcessorTime::parse("cpu  200 10 50 1000 40 5 15 80 33 0\n");
        let passed = after.since(before);
        let rounded = [passed.busy, passed.steal, passed.all].map(|seconds| (seconds * 100.0).round());
        assert_eq!(rounded, [180.0, 80.0, 1300.0]);
    }

    #[test]
    fn the_time_of_a_process_is_user_and_system() {
        let stat = "17 (a) b) S 1 17 17 0 -1 4194560 100 0 0 0 250 50 9 9 20 0 1 0 12";
        assert_eq!(parse_process(stat), 3.0);
    }

    #[test]
    fn fields_of_proc_files_are_found_by_name() {
        assert_eq!(field("model\t: 1\nmodel name\t: Fast 9000\n", "model name"), "Fast 9000");
        assert_eq!(field("", "model name"), "");
        let here = Machine::here();
        assert!(here.processors > 0 && here.memory_mb > 0 && !here.kernel.is_empty(), "{here:?}");
    }
}

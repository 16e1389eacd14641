//! The stages of a packet, each made ready outside of what is counted.

mod engine;
mod flow_logs;
mod headers;
mod lookup;

/// What is counted, and how.
pub(crate) struct Stage {
    /// Its key in the file of baselines.
    pub(crate) name: &'static str,
    /// Runs it once and says how many operations that was. It calls [`measured`] once.
    pub(crate) run: fn() -> usize,
}

/// All stages in the order in which they run.
pub(crate) fn all() -> impl Iterator<Item = &'static Stage> {
    [headers::STAGES, lookup::STAGES, engine::STAGES, flow_logs::STAGES].into_iter().flatten()
}

/// Repetitions of what is quick.
const TIMES: usize = 1_000;

/// What callgrind counts; it knows this function by its name.
#[inline(never)]
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_runs_and_has_a_name_of_its_own() {
        let mut names: Vec<_> = all().map(|stage| stage.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().count());
        for stage in all() {
            assert!((stage.run)() > 0, "{}", stage.name);
        }
    }
}

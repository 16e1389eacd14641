//! What the scheduler does with the calling thread.

use std::io;

use nix::sys::resource::{UsageWho, getrusage};

/// How often the calling thread has had to leave its processor to another one, since it began.
///
/// # Errors
///
/// What `getrusage` answers; none is known.
pub fn preemptions() -> io::Result<u64> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    Ok(usage.involuntary_context_switches().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// More threads than processors, all busy: the scheduler has to take turns.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test ends when it is late")]
    fn a_busy_thread_among_many_is_preempted() {
        let busy = || {
            let (before, end) = (preemptions().expect("known"), Instant::now() + Duration::from_secs(20));
            while preemptions().expect("known") == before && Instant::now() < end {
                std::hint::spin_loop();
            }
            preemptions().expect("known") > before
        };
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2 * processors).map(|_| scope.spawn(busy)).collect();
            let preempted = threads.into_iter().map(|thread| thread.join().expect("no panic"));
            assert!(preempted.filter(|preempted| *preempted).count() >= processors);
        });
    }
}

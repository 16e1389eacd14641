//! A bar on standard error for a run of many minutes: redrawn in place on a terminal, a line a round elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use bench::Progress;

/// How far a run is.
#[derive(Debug)]
pub(crate) struct Bar {
    terminal: bool,
    began: Instant,
    /// What was last said to somebody who reads lines.
    said: String,
}

impl Bar {
    pub(crate) fn start() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), began: now(), said: String::new() }
    }

    pub(crate) fn show(&mut self, progress: &Progress) {
        // Progress that nobody can see is no reason to stop.
        if self.terminal {
            let _ = write!(anstream::stderr(), "\r\x1b[K{}", line(progress, now() - self.began));
            let _ = anstream::stderr().flush();
        } else if self.said != stage(&progress.what) {
            stage(&progress.what).clone_into(&mut self.said);
            let _ = writeln!(anstream::stderr(), "{}", line(progress, now() - self.began));
        }
    }

    pub(crate) fn finish(&self) {
        if self.terminal {
            let _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }
}

/// The part before the colon, which changes once a round.
fn stage(what: &str) -> &str {
    what.split_once(':').map_or(what, |(stage, _)| stage)
}

fn line(progress: &Progress, passed: Duration) -> String {
    let Progress { what, done, of } = progress;
    let filled = WIDTH * done / of.max(&1);
    let bar = "#".repeat(filled) + &".".repeat(WIDTH - filled.min(WIDTH));
    match left(*done, *of, passed) {
        Some(left) => format!("[{bar}] {done}/{of}  {what}  {left} left"),
        None => format!("[{bar}] {done}/{of}  {what}"),
    }
}

/// The rest at the speed so far.
fn left(done: usize, of: usize, passed: Duration) -> Option<String> {
    let step = passed.checked_div(u32::try_from(done).ok()?)?;
    let seconds = (step * u32::try_from(of.saturating_sub(done)).ok()?).as_secs();
    Some(format!("{}:{:02}", seconds / 60, seconds % 60))
}

#[expect(clippy::disallowed_methods, reason = "the time left is shown to whoever waits")]
fn now() -> Instant {
    Instant::now()
}

const WIDTH: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_how_far_and_how_long() {
        let progress = Progress { what: "round 2: rtt on kernel".to_owned(), done: 25, of: 100 };
        let line = line(&progress, Duration::from_secs(50));
        assert_eq!(line, "[######..................] 25/100  round 2: rtt on kernel  2:30 left");
        assert_eq!(stage(&progress.what), "round 2");
        assert_eq!(left(0, 100, Duration::from_secs(1)), None);
    }
}

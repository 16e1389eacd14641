//! One flow log: which interfaces it covers since when, and its open windows.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use engine::{Action, TapEvent, Time};
use snapshot::InterfaceIx;
use snapshot::spec::{FlowLogSpec, TrafficFilter};

use crate::observed::{Directory, Observed};
use crate::window::{MAX_FLOWS, Span, Window};
use crate::{Format, Line};

/// A time during which the flow log covers an interface that looks the same throughout.
#[derive(Clone, Debug)]
struct Coverage {
    observed: Arc<Observed>,
    since: Time,
    until: Option<Time>,
}

/// One flow log from its creation to its deletion; nothing but its interfaces ever changes (FL-05).
#[derive(Debug)]
pub(crate) struct Log {
    /// As made, without its interfaces.
    spec: FlowLogSpec,
    /// The specification's, shared with every line.
    id: Arc<str>,
    file: Arc<Path>,
    format: Format,
    /// In ascending time per interface.
    coverage: BTreeMap<InterfaceIx, Vec<Coverage>>,
    /// By start in Unix seconds, a multiple of the interval.
    windows: BTreeMap<u64, Window>,
    /// Start of the earliest window that is not emitted.
    open: u64,
    closed: Option<Time>,
}

impl Log {
    /// Makes a flow log that covers nothing yet.
    pub(crate) fn new(spec: &FlowLogSpec, now: Time) -> Self {
        let mut log = Self {
            spec: fixed_part(spec),
            id: spec.id.as_str().into(),
            file: spec.file.as_path().into(),
            // A lab with an unreadable format does not pass its check; lines in the default format beat none.
            format: Format::parse(&spec.format).unwrap_or(Format::DEFAULT),
            coverage: BTreeMap::new(),
            windows: BTreeMap::new(),
            open: 0,
            closed: None,
        };
        log.open = log.window_at(now);
        log
    }

    /// Whether this is the flow log of `spec` and still running.
    pub(crate) fn is_running(&self, spec: &FlowLogSpec) -> bool {
        self.closed.is_none() && self.spec == fixed_part(spec)
    }

    /// `fl-` id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Covers exactly the interfaces of `spec` from now on, each as `directory` describes it.
    pub(crate) fn cover(&mut self, spec: &FlowLogSpec, directory: &Directory, now: Time) {
        let wanted: BTreeMap<_, _> =
            spec.interfaces.iter().filter_map(|id| directory.get(id)).map(|(ix, o)| (*ix, o)).collect();
        for (ix, coverages) in &mut self.coverage {
            let same =
                |coverage: &Coverage| wanted.get(ix).is_some_and(|observed| **observed == coverage.observed);
            coverages.iter_mut().filter(|coverage| !same(coverage)).for_each(|coverage| coverage.end(now));
        }
        for (ix, observed) in wanted {
            let coverages = self.coverage.entry(ix).or_default();
            if coverages.iter().all(|coverage| coverage.until.is_some()) {
                coverages.push(Coverage { observed: Arc::clone(observed), since: now, until: None });
            }
        }
    }

    /// Ends the flow log: windows and coverage end now.
    pub(crate) fn close(&mut self, now: Time) {
        if self.closed.is_none() {
            self.closed = Some(now);
            self.coverage.values_mut().flatten().for_each(|coverage| coverage.end(now));
        }
    }

    /// Takes traffic of a covered interface that the filter lets through (FL-04); says whether it did.
    ///
    /// It belongs to the earliest coverage that its time meets: packets of a flow that was already running when its
    /// interface came under this log are counted from the flow's last report on.
    pub(crate) fn handle_tap(&mut self, event: &TapEvent) -> bool {
        if !passes(self.spec.traffic, event.action) {
            return false;
        }
        let Some(coverage) = self.find(event.interface, event.first, event.last) else { return false };
        let (observed, since) = (Arc::clone(&coverage.observed), coverage.since);
        self.window(event.first.max(since)).add(event, &observed, since);
        true
    }

    /// Notes lost records; of which verdict is not known, so the filter does not matter.
    pub(crate) fn handle_skip(&mut self, interface: InterfaceIx, at: Time) {
        let Some(coverage) = self.find(interface, at, at) else { return };
        let observed = Arc::clone(&coverage.observed);
        self.window(at).skip(&observed);
    }

    /// When all about the earliest open window is known.
    pub(crate) fn due(&self) -> Time {
        let end = self.window_end();
        self.closed.map_or(end, |closed| closed.min(end))
    }

    /// Whether there is nothing left to emit, now or ever.
    pub(crate) fn is_done(&self) -> bool {
        self.windows.is_empty() && self.closed.is_some_and(|closed| closed <= Time::from_secs(self.open))
    }

    /// Emits the earliest open window.
    pub(crate) fn emit_window(&mut self) -> Vec<Line> {
        let spans = self.spans();
        let window = self.windows.remove(&self.open).unwrap_or(Window::new(0));
        let lines = window.records(&spans).map(|record| self.line(self.format.line(&record))).collect();
        self.open += self.interval();
        self.forget_past_coverage();
        lines
    }

    /// The interfaces covered within the earliest open window, once each, and from when to when.
    fn spans(&self) -> Vec<Span> {
        let (start, end) = (Time::from_secs(self.open), self.window_end());
        let mut spans = BTreeMap::new();
        for coverage in self.coverage.values().flatten() {
            let since = coverage.since.max(start);
            let until = coverage.until.map_or(end, |until| until.min(end));
            if since < until {
                let span = spans.entry(&coverage.observed.id).or_insert((&coverage.observed, since, until));
                *span = (&coverage.observed, span.1.min(since), span.2.max(until));
            }
        }
        let span = |(observed, since, until)| Span { observed: Arc::clone(observed), since, until };
        spans.into_values().map(span).collect()
    }

    fn find(&self, interface: InterfaceIx, first: Time, last: Time) -> Option<&Coverage> {
        let mut coverages = self.coverage.get(&interface)?.iter();
        coverages.find(|coverage| coverage.since <= last && coverage.until.is_none_or(|until| first < until))
    }

    /// The window that `time` belongs to, or the earliest open one if that is later.
    fn window(&mut self, time: Time) -> &mut Window {
        let start = self.window_at(time).max(self.open);
        self.windows.entry(start).or_insert(Window::new(MAX_FLOWS))
    }

    fn window_at(&self, time: Time) -> u64 {
        time.secs() / self.interval() * self.interval()
    }

    fn window_end(&self) -> Time {
        Time::from_secs(self.open + self.interval())
    }

    fn interval(&self) -> u64 {
        u64::from(self.spec.interval).max(1)
    }

    fn forget_past_coverage(&mut self) {
        let open = Time::from_secs(self.open);
        self.coverage.retain(|_, coverages| {
            coverages.retain(|coverage| coverage.until.is_none_or(|until| until > open));
            !coverages.is_empty()
        });
    }

    fn line(&self, text: String) -> Line {
        Line { flow_log: Arc::clone(&self.id), file: Arc::clone(&self.file), text }
    }
}

impl Coverage {
    fn end(&mut self, now: Time) {
        self.until.get_or_insert(now);
    }
}

/// What a flow log cannot change without becoming another one (FL-05): all but the interfaces.
fn fixed_part(spec: &FlowLogSpec) -> FlowLogSpec {
    FlowLogSpec { interfaces: Vec::new(), ..spec.clone() }
}

const fn passes(filter: TrafficFilter, action: Action) -> bool {
    match (filter, action) {
        (TrafficFilter::All, Action::Accept | Action::Reject)
        | (TrafficFilter::Accept, Action::Accept)
        | (TrafficFilter::Reject, Action::Reject) => true,
        (TrafficFilter::Accept, Action::Reject) | (TrafficFilter::Reject, Action::Accept) => false,
    }
}

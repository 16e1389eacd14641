//! Verdicts by the plainest possible evaluation of Valid; shares no code with what it judges

#![forbid(unsafe_code)]

//! The sans-IO packet engine of one worker

#![forbid(unsafe_code)]

mod mss;
mod same;

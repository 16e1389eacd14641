//! Containers that know no packet and no AWS noun: longest-prefix match, classifier, flow table, timer wheel

#![forbid(unsafe_code)]

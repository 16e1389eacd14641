//! What `iperf3 -J` says.

use serde::Deserialize;

/// A finished test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Throughput {
    /// What the receiver got, in bits per second.
    pub(crate) bits_per_second: f64,
    /// What the receiver got, in bytes.
    pub(crate) bytes: f64,
    /// Segments that the sender sent again.
    pub(crate) retransmits: f64,
}

#[derive(Deserialize)]
struct Document {
    error: Option<String>,
    end: Option<End>,
}

#[derive(Deserialize)]
struct End {
    sum_sent: Option<Sum>,
    sum_received: Option<Sum>,
}

#[derive(Deserialize)]
struct Sum {
    bits_per_second: f64,
    bytes: f64,
    retransmits: Option<f64>,
}

/// Reads the client's report.
///
/// # Errors
///
/// What is wrong with the report, or what it says went wrong.
pub(crate) fn parse(json: &str) -> Result<Throughput, String> {
    let document: Document = serde_json::from_str(json).map_err(|error| format!("no report: {error}"))?;
    if let Some(error) = document.error {
        return Err(error);
    }
    let sums = document.end.and_then(|end| Some((end.sum_sent?, end.sum_received?)));
    let (sent, received) = sums.ok_or("the report has no sums")?;
    Ok(Throughput {
        bits_per_second: received.bits_per_second,
        bytes: received.bytes,
        retransmits: sent.retransmits.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receivers_rate_counts_and_the_senders_retransmits() {
        let json = r#"{ "start": {}, "end": {
            "sum_sent": { "bits_per_second": 2e9, "bytes": 250, "retransmits": 7, "sender": true },
            "sum_received": { "bits_per_second": 1.5e9, "bytes": 200, "sender": true } } }"#;
        assert_eq!(parse(json), Ok(Throughput { bits_per_second: 1.5e9, bytes: 200.0, retransmits: 7.0 }));
    }

    #[test]
    fn a_test_that_failed_says_why() {
        let json = r#"{ "start": {}, "end": {}, "error": "unable to connect to server" }"#;
        assert_eq!(parse(json), Err("unable to connect to server".to_owned()));
        assert_eq!(parse(r#"{ "end": {} }"#), Err("the report has no sums".to_owned()));
        assert!(parse("").is_err());
    }
}

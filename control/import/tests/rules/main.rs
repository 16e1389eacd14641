//! What a checked lab holds, and what is refused, rule by rule.

mod addresses;
mod blocks;
mod defaults;
mod flow_logs;
mod gateways;
mod groups;
mod peerings;
mod routes;
mod warnings;

use model::findings::{Code, Findings};
use model::lab::{Lab, Vpc};
use vpclab_import::{Look, load, render};

/// A lab with one VPC `app`, 10.0.0.0/16, in us-east-1; `body` holds the other keys of the VPC, indented by four.
fn app(body: &str) -> Vpc {
    lab(&app_text(body)).vpcs["app"].clone()
}

/// Codes of all findings about such a lab.
fn app_codes(body: &str) -> Vec<Code> {
    codes(&app_text(body))
}

fn app_text(body: &str) -> String {
    format!("lab: t\nvpcs:\n  app:\n    cidr: [10.0.0.0/16]\n{body}\n")
}

fn lab(text: &str) -> Lab {
    match load("t", text) {
        Ok((valid, _)) => valid.lab().clone(),
        Err(found) => panic!("{}", render(&found, "t", text, Look::Plain)),
    }
}

fn codes(text: &str) -> Vec<Code> {
    found(text).iter().map(|f| f.code).collect()
}

fn found(text: &str) -> Findings {
    load("t", text).map_or_else(|found| found, |(_, warnings)| warnings)
}

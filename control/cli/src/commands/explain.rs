//! `vpclab explain`.

use owo_colors::OwoColorize as _;
use serde::Serialize;

use crate::args::high::{Ask, Explain};
use crate::args::low::Output;
use crate::error::{Answer, Error};
use crate::explain::last_drop::{self, Reading};
use crate::explain::matrix::{self, Verify};
use crate::explain::question::Question;
use crate::explain::report::Report;
use crate::explain::spread::{self, Share};
use crate::explain::walk::{Outcome, Walk};
use crate::explain::{text, verify};
use crate::output::{self, Out};
use crate::place;
use crate::running::Running;
use crate::world::{Source, World};

/// What JSON holds beside the answer.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// The record that was explained.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a daemon::protocol::DropRow>,
    /// With `--verify`: what the oracle says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<&'a [String]>,
}

/// Answers.
///
/// # Errors
///
/// A lab that is not there or not valid, names that nothing carries.
pub(crate) fn run(args: &Explain, out: Out<'_>) -> Result<Answer, Error> {
    match &args.ask {
        Ask::LastDrop(interface) => last(args, interface.as_deref(), out),
        Ask::Matrix(traffic, family) => {
            let world = World::load(&args.source)?;
            let pairs = matrix::matrix(&world, *traffic, *family, args.verify)?;
            output::rows(out, args.output, &pairs)?;
            let differences: Vec<String> = pairs.into_iter().flat_map(|pair| pair.differences).collect();
            Ok(verified(&differences).unwrap_or(Answer::Yes))
        }
        Ask::Packet(question) => one(args, &World::load(&args.source)?, question, out),
    }
}

fn one(args: &Explain, world: &World, question: &Question, out: Out<'_>) -> Result<Answer, Error> {
    let shares = spread::spread(world, question)?;
    let report = Report::of(world, &shares)?;
    let walks: Vec<&Walk<'_>> = shares.iter().map(|share: &Share<'_>| &share.walk).collect();
    let differences = differences(args, world, &walks)?;
    say(args, &report, None, differences.as_deref(), out)?;
    let outcome = shares.first().map(|share| share.walk.outcome());
    Ok(differences.and_then(|found| verified(&found)).unwrap_or_else(|| answer(outcome)))
}

fn last(args: &Explain, interface: Option<&str>, out: Out<'_>) -> Result<Answer, Error> {
    let Source::Running(lab) = &args.source else {
        return Err(Error::Usage("--last-drop asks a running lab".to_owned()));
    };
    let mut running = Running::connect(lab.as_deref())?;
    let world = World::of_running(&mut running)?;
    let name = interface.map(|text| place::find_port(world.lab(), text)).transpose()?.map(|port| port.name());
    let drops = running.drops()?;
    let Some(row) = last_drop::newest(&drops, name.as_deref()) else {
        let whose = name.map_or_else(String::new, |name| format!(" of {name}"));
        return Err(Error::Refused(format!("no packet{whose} was dropped of late")));
    };
    let (walk, note) = match last_drop::read(&world, row)? {
        Reading::First(walk) => (walk, None),
        Reading::Reply(walk) => (walk, Some("the dropped packet is the reply of the exchange shown")),
        Reading::Unlike(walk) => (
            walk,
            Some("the lab as it is now decides otherwise: it was changed, or other packets went before"),
        ),
    };
    let mut report = Report::of_walk(&world, &walk)?;
    report.notes.extend(note.map(str::to_owned));
    let differences = differences(args, &world, &[&walk])?;
    if args.output == Output::Table {
        writeln!(out, "{} {}\n", "dropped:".bold(), last_drop::sentence(row))?;
    }
    say(args, &report, Some(row), differences.as_deref(), out)?;
    Ok(differences.and_then(|found| verified(&found)).unwrap_or_else(|| answer(Some(walk.outcome()))))
}

fn say(
    args: &Explain,
    report: &Report,
    record: Option<&daemon::protocol::DropRow>,
    differences: Option<&[String]>,
    out: Out<'_>,
) -> Result<(), Error> {
    match args.output {
        Output::Json => output::json(out, &Document { report, record, differences }),
        Output::Table => {
            text::write(out, report)?;
            match differences {
                None => Ok(()),
                Some([]) => Ok(writeln!(out, "{} the oracle agrees", "verified:".bold())?),
                Some(found) => {
                    writeln!(
                        out,
                        "{}",
                        "the oracle disagrees; this is a bug of vpclab, please report it:".red()
                    )?;
                    found.iter().try_for_each(|difference| Ok(writeln!(out, "  {difference}")?))
                }
            }
        }
    }
}

fn differences(args: &Explain, world: &World, walks: &[&Walk<'_>]) -> Result<Option<Vec<String>>, Error> {
    if args.verify == Verify::No {
        return Ok(None);
    }
    let mut found = Vec::new();
    for walk in walks {
        found.extend(verify::differences(world, walk)?);
    }
    Ok(Some(found))
}

/// Only a contradiction changes the answer.
const fn verified(differences: &[String]) -> Option<Answer> {
    if differences.is_empty() { None } else { Some(Answer::Contradiction) }
}

const fn answer(outcome: Option<Outcome>) -> Answer {
    match outcome {
        Some(Outcome::Delivered) => Answer::Yes,
        Some(Outcome::Dropped(_) | Outcome::ReplyDropped(_)) | None => Answer::No,
    }
}

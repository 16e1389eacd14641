//! `vpclab test`: real probes against a file of expectations.

use std::fs;

use crate::args::high::Test;
use crate::checks::file::{self, Mistake};
use crate::checks::judge::{self, Judged};
use crate::checks::probing::Prober;
use crate::checks::{junit, plan, report};
use crate::error::{Answer, Error};
use crate::output::Out;
use crate::running::Running;
use crate::world::{self, Source, World};

/// Probes every row and judges it.
///
/// # Errors
///
/// A file that cannot be read or has mistakes, a lab that does not run or runs another lab file.
pub(crate) fn run(args: &Test, out: Out<'_>) -> Result<Answer, Error> {
    let name = args.file.display().to_string();
    let text = world::read(&args.file)?;
    let said = |mistakes: Vec<Mistake>| Error::Findings(file::render(&mistakes, &name, &text));
    let checks = file::parse(&text).map_err(said)?;
    let world = in_force(&args.source)?;
    let jobs = plan::plan(&world, &checks).map_err(said)?;
    let lab = &world.lab().name;
    let probed = Prober::new(lab.clone(), args.timeout)?.probe(&jobs)?;
    let judged: Vec<Judged> = jobs
        .iter()
        .zip(&probed)
        .map(|(job, probed)| judge::judge(&world, job, probed))
        .collect::<Result<_, _>>()?;
    if let Some(path) = &args.junit {
        let xml = junit::document(lab, &name, &judged);
        fs::write(path, xml).map_err(|source| Error::File { path: path.clone(), source })?;
    }
    report::write(out, args.output, &name, &judged)?;
    Ok(report::answer(&judged))
}

/// The lab to probe. A lab file names the running lab, and must be the one in force: probes see what runs.
fn in_force(source: &Source) -> Result<World, Error> {
    let (mut running, written) = match source {
        Source::Running(lab) => (Running::connect(lab.as_deref())?, None),
        Source::File(path) => {
            let world = World::load(source)?;
            (Running::connect(Some(&world.lab().name))?, Some((path, world)))
        }
    };
    let world = World::of_running(&mut running)?;
    match written {
        Some((path, written)) if written.lab() != world.lab() => Err(Error::Refused(format!(
            "{path} is not what lab {lab} runs: `vpclab apply {path}` first",
            path = path.display(),
            lab = world.lab().name,
        ))),
        Some(_) | None => Ok(world),
    }
}

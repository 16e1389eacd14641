//! `vpclab up`: in the foreground with what happens to packets, or as a daemon.

mod summary;

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use daemon::background::{self, Starter};
use daemon::{BackendKind, Dirs, Running, Signals};
use model::Valid;

use crate::args::low::{Backend, Up};
use crate::error::{Answer, Error};
use crate::explain::question::{Question, Traffic};
use crate::explain::spread;
use crate::explain::walk::Outcome;
use crate::output::Out;
use crate::place;
use crate::world::{self, World};

/// How long a daemon may take to be ready: thousands of namespaces.
const PATIENCE: Duration = Duration::from_secs(300);

/// The most workers unless `--workers` says otherwise: more were not measured yet.
const WORKERS: usize = 4;

/// Brings a lab up.
///
/// # Errors
///
/// A file that cannot be read, or a system that refuses. Findings are a no.
pub(crate) fn run(args: &Up, out: Out<'_>) -> Result<Answer, Error> {
    if args.child {
        return child(args);
    }
    let name = args.file.display().to_string();
    let text = world::read(&args.file)?;
    let look = world::look(std::io::stderr().is_terminal());
    let (valid, warnings) = match import::load(&name, &text) {
        Ok(loaded) => loaded,
        Err(findings) => {
            write!(anstream::stderr(), "{}", import::render(&findings, &name, &text, look))?;
            return Ok(Answer::No);
        }
    };
    write!(anstream::stderr(), "{}", import::render(&warnings, &name, &text, look))?;
    let world = World::of(&name, &text)?;
    match args.detach {
        true => detached(args, &world, out),
        false => foreground(args, valid, &world, text, out),
    }
}

/// Starts this program again as a daemon and waits until it is ready.
fn detached(args: &Up, world: &World, out: Out<'_>) -> Result<Answer, Error> {
    let lab = &world.lab().name;
    let log = Dirs::default().var_of(lab).join("daemon.log");
    let program: PathBuf = std::env::current_exe()?;
    let mut command = Command::new(program);
    command.arg("up").arg(&args.file).arg("--child");
    command.args(["--workers".to_owned(), workers(args).to_string()]);
    command.args(["--io", args.io.word()]);
    let pid = background::launch(&mut command, &log, PATIENCE).map_err(not_started)?;
    writeln!(out, "lab {lab} is up: {}, {}, process {pid}", size(world), threads(args))?;
    hints(world, out)?;
    Ok(Answer::Yes)
}

/// The daemon itself: standard output is its starter's until it has said its last word.
fn child(args: &Up) -> Result<Answer, Error> {
    let starter: Starter = background::enter()?;
    let started = prepared(args).and_then(|up| Running::up(up).map_err(refused));
    let mut running = match started {
        Ok(running) => running,
        Err(error) => {
            // Without a starter there is nobody to tell.
            let _ = starter.failed(error);
            return Ok(Answer::No);
        }
    };
    // A starter that went away has left us alone to do what it asked for.
    let _ = starter.ready();
    running.serve();
    end(running)
}

fn prepared(args: &Up) -> Result<daemon::Up, Error> {
    let name = args.file.display().to_string();
    let text = world::read(&args.file)?;
    let (valid, _) = import::load(&name, &text)
        .map_err(|findings| Error::Findings(import::render(&findings, &name, &text, import::Look::Plain)))?;
    Ok(options(args, name, text, valid))
}

fn foreground(args: &Up, valid: Valid, world: &World, text: String, out: Out<'_>) -> Result<Answer, Error> {
    let name = args.file.display().to_string();
    let lab = world.lab().name.clone();
    let mut running = Running::up(options(args, name, text, valid)).map_err(not_started)?;
    writeln!(out, "lab {lab} is up: {}, {}; Ctrl-C takes it down", size(world), threads(args))?;
    hints(world, out)?;
    out.flush()?;
    let summary = std::io::stderr().is_terminal().then(|| summary::Summary::start(lab.clone()));
    running.serve();
    drop(summary);
    let answer = end(running)?;
    writeln!(out, "lab {lab} is down")?;
    Ok(answer)
}

fn end(running: Running) -> Result<Answer, Error> {
    running.down().map(|()| Answer::Yes).map_err(|failures| {
        Error::Refused(failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

fn options(args: &Up, name: String, text: String, valid: Valid) -> daemon::Up {
    daemon::Up {
        name,
        text,
        valid,
        workers: workers(args),
        backend: args.io.kind(),
        dirs: Dirs::default(),
        signals: Signals::Heed,
    }
}

fn threads(args: &Up) -> String {
    match workers(args) {
        1 => "1 worker".to_owned(),
        several => format!("{several} workers"),
    }
}

/// As many as were asked for, else one for every two processors up to [`WORKERS`]: the programs in the instances need the
/// other ones. On two processors a second worker makes a round trip take more than twice as long (docs/performance.md).
fn workers(args: &Up) -> u16 {
    let processors = || std::thread::available_parallelism().map_or(1, NonZero::get);
    args.workers.unwrap_or_else(|| u16::try_from((processors() / 2).clamp(1, WORKERS)).unwrap_or(1))
}

fn refused(error: impl std::fmt::Display) -> Error {
    Error::Refused(error.to_string())
}

/// A failed start, with where to look when the machine is to blame.
fn not_started(error: impl std::fmt::Display) -> Error {
    let lacking = daemon::doctor::checks().iter().any(daemon::doctor::Check::blocks);
    let advice = if lacking {
        "\nThis machine lacks something that every lab needs: see `vpclab doctor`."
    } else {
        ""
    };
    Error::Refused(format!("{error}{advice}"))
}

/// `3 instances, 4 interfaces`, and `2 hosts` where there are any.
fn size(world: &World) -> String {
    let count = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    };
    let instances = place::instances(world.lab()).count();
    let interfaces = place::ports(world.lab()).count();
    let mut parts = vec![count(instances, "instance"), count(interfaces, "interface")];
    let hosts = world.lab().internet.hosts.len();
    parts.extend((hosts > 0).then(|| count(hosts, "host")));
    parts.join(", ")
}

/// What to type next: a ping that passes, if there is one.
fn hints(world: &World, out: Out<'_>) -> Result<(), Error> {
    let lab = &world.lab().name;
    let instances = place::instances(world.lab()).map(|(_, instance)| &instance.name);
    let names: Vec<&str> = instances.chain(world.lab().internet.hosts.keys()).map(String::as_str).collect();
    // A lab may have thousands; the first few will do.
    let names = &names[..names.len().min(8)];
    let pairs = || names.iter().flat_map(|from| names.iter().map(move |to| (*from, *to)));
    let mut pairs = pairs().filter(|(from, to)| from != to);
    let Some(first) = pairs.clone().next() else { return Ok(()) };
    let (from, to) = pairs.find(|(from, to)| passes(world, from, to)).unwrap_or(first);
    writeln!(out, "  vpclab exec {from} -- ping -c 2 {to}")?;
    writeln!(out, "  vpclab explain --from {from} --to {to}")?;
    Ok(writeln!(out, "  vpclab down {lab}")?)
}

fn passes(world: &World, from: &str, to: &str) -> bool {
    let question = Question {
        from: from.to_owned(),
        to: to.to_owned(),
        traffic: Traffic::Echo,
        source_port: None,
        source_address: None,
        family: None,
    };
    let shares = spread::spread(world, &question);
    shares.is_ok_and(|shares| shares.iter().all(|share| share.walk.outcome() == Outcome::Delivered))
}

impl Backend {
    const fn kind(self) -> BackendKind {
        match self {
            Self::Auto => BackendKind::Auto,
            Self::Epoll => BackendKind::Epoll,
            Self::Tokio => BackendKind::Tokio,
            Self::Uring => BackendKind::Uring,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Epoll => "epoll",
            Self::Tokio => "tokio",
            Self::Uring => "uring",
        }
    }
}

//! The `vpclab` program: what was typed becomes what is wanted ([`args`]), one module answers ([`commands`]), and the answer
//! becomes a table or JSON ([`output`]) and an exit status.
//!
//! Questions about packets are answered in [`explain`] from a checked and compiled lab ([`world`]); expectations are probed in
//! [`checks`] by sending this very program into the instances ([`probe`]). The running lab is asked through [`running`].

#![forbid(unsafe_code)]

mod args;

mod checks;
mod commands;
mod error;
mod explain;
mod output;
mod place;
mod probe;
mod records;
mod running;
mod words;
mod world;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser as _;

use args::high;
use args::low::{Command, LowArgs};
use error::{Answer, Error};
use output::Out;

/// Standard output whose reader may go away, as `head` does. What nobody reads is thrown away, so that a command still comes
/// to its answer and its exit status; flushing says that there is no reader, which ends a command that prints for ever.
struct Reader<W> {
    to: W,
    gone: bool,
}

fn main() -> ExitCode {
    let low = LowArgs::parse();
    let mut out = Reader { to: anstream::AutoStream::auto(io::stdout().lock()), gone: false };
    let answer = run(low, &mut out).and_then(|answer| match out.flush() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(answer),
    });
    match answer {
        Ok(answer) => ExitCode::from(answer.status()),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            // With nobody to read it there is nothing left to do.
            let _ = writeln!(anstream::stderr(), "vpclab: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(low: LowArgs, out: Out<'_>) -> Result<Answer, Error> {
    match low.command {
        Command::Apply(args) => commands::apply::run(&args, out),
        Command::Bench(args) => commands::bench::run(&high::Bench::of(args), out),
        Command::BenchAgent(args) => commands::bench::agent(&args, out),
        Command::Check(args) => commands::check::run(&args, out),
        Command::Doctor(args) => commands::doctor::run(&args, out),
        Command::Down(args) => commands::down::run(&args, out),
        Command::Drops(args) => commands::drops::run(&args, out),
        Command::Exec(args) => commands::exec::run(&args),
        Command::Explain(args) => commands::explain::run(&high::Explain::of(args)?, out),
        Command::Flows(args) => commands::flows::run(&args, out),
        Command::Logs(args) => commands::logs::run(&args, out),
        Command::Probe(args) => probe::run(&args, out),
        Command::Peering(args) => commands::peering::run(&high::Peering::of(args), out),
        Command::Ps(args) => commands::ps::run(&args, out),
        Command::Schema => output::json(out, &import::schema()).map(|()| Answer::Yes),
        Command::Show(args) => commands::show::run(&high::Show::of(args), out),
        Command::Test(args) => commands::test::run(&high::Test::of(args), out),
        Command::Up(args) => commands::up::run(&args, out),
    }
}

impl<W: Write> Write for Reader<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        match self.to.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(bytes.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone { Err(ErrorKind::BrokenPipe.into()) } else { self.to.flush() }
    }
}

//! Accepts connections, reads one byte of each and closes it.

use std::io::{self, Read as _, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    /// Where it listens, on all addresses.
    pub port: u16,
}

impl Accept {
    pub(super) fn run(&self, out: &mut dyn Write) -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, self.port))?;
        for _ in 0..super::connect::THREADS {
            let listener = listener.try_clone()?;
            thread::spawn(move || serve(&listener));
        }
        super::ready(out)?;
        super::wait_for_end_of_input();
        Ok(())
    }
}

/// Ends with the process.
fn serve(listener: &TcpListener) {
    loop {
        // A connection that broke is the other end's to report.
        let Ok((mut connection, _)) = listener.accept() else { continue };
        let _ = connection.set_read_timeout(Some(Duration::from_secs(5)));
        let _ = connection.read(&mut [0]);
    }
}

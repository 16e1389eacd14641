//! Handing packets to the kernel, whole where it takes them and in parts where it does not.

use std::io::{self, IoSlice};

use nix::sys::uio::writev;
use wire::{Buffer, SegmentKind};

use super::{Header, Tun, vnet};

/// Buffers of one packet that one write can take.
pub(crate) const MAX_PARTS: usize = 64;

impl Tun {
    /// Hands one packet to the namespace's network stack through a queue, with what is left to do for it. What the device does not
    /// take is done in software first; `packet` itself is as it was before.
    ///
    /// # Errors
    ///
    /// [`trouble`](super::trouble) tells a removed device and one that is down from the rest; `InvalidInput` means the
    /// bytes are no IP packet. Of a super-packet that had to be cut, the first error; the other segments were written.
    pub fn write(&self, queue: u16, packet: &mut Buffer) -> io::Result<()> {
        let mut result = Ok(());
        self.send(queue, packet, &[], |_, error| {
            if result.is_ok() {
                result = Err(error);
            }
        });
        result
    }

    /// Writes the packet that begins in `head` and goes on in `rest`, at most [`MAX_PARTS`] buffers in all. Every
    /// single packet of it that the kernel refuses is given to `failed`, whole.
    pub(crate) fn send(
        &self,
        queue: u16,
        head: &mut Buffer,
        rest: &[Buffer],
        mut failed: impl FnMut(Buffer, io::Error),
    ) {
        let refused = match self.takes(head) {
            true => match self.write_once(queue, head, rest) {
                Ok(()) => return,
                Err(error) => Some(error),
            },
            false => None,
        };
        let kind = head.offload().segments.map(|segments| segments.kind);
        let may_be_taken_singly = refused.as_ref().is_none_or(|error| kind.is_some() && is_refusal(error));
        let singles = singles(head, rest);
        if !may_be_taken_singly {
            let code = refused.as_ref().and_then(io::Error::raw_os_error).unwrap_or(libc::EIO);
            return singles.into_iter().for_each(|single| failed(single, io::Error::from_raw_os_error(code)));
        }
        let count = singles.len();
        let mut all_taken = true;
        for mut single in singles {
            if let Err(error) = self.write_once(queue, &mut single, &[]) {
                all_taken = false;
                failed(single, error);
            }
        }
        if let Some(kind) = kind.filter(|_| refused.is_some() && all_taken) {
            self.limits.refuse(kind, count);
        }
    }

    /// The most segments of `kind` that one write may stand for.
    pub(crate) fn segments(&self, kind: SegmentKind) -> u16 {
        self.limits.segments(kind)
    }

    fn takes(&self, packet: &Buffer) -> bool {
        let offload = packet.offload();
        match (self.header, offload.segments) {
            (Header::None, _) => offload == wire::Offload::default(),
            (Header::Vnet, None) => true,
            (Header::Vnet, Some(segments)) => self.limits.segments(segments.kind) > 1,
        }
    }

    /// One write, with the header in the headroom where the device has one.
    fn write_once(&self, queue: u16, head: &mut Buffer, rest: &[Buffer]) -> io::Result<()> {
        match self.header {
            Header::None => self.write_parts(queue, head.bytes(), rest),
            Header::Vnet => {
                let header = vnet::encode(head.offload());
                head.prepend(vnet::LENGTH).copy_from_slice(&header);
                let written = self.write_parts(queue, head.bytes(), rest);
                head.trim_front(vnet::LENGTH);
                written
            }
        }
    }

    fn write_parts(&self, queue: u16, head: &[u8], rest: &[Buffer]) -> io::Result<()> {
        if rest.is_empty() {
            nix::unistd::write(self.queue_to_write(queue), head)?;
            return Ok(());
        }
        let mut parts = [IoSlice::new(&[]); MAX_PARTS];
        let all = std::iter::once(head).chain(rest.iter().map(Buffer::bytes));
        let mut count = 0;
        for (slot, part) in parts.iter_mut().zip(all) {
            *slot = IoSlice::new(part);
            count += 1;
        }
        writev(self.queue_to_write(queue), &parts[..count])?;
        Ok(())
    }
}

/// The packets on the wire that the packet in these buffers stands for, each whole. Bytes that do not fit what is said
/// of them come back as they are.
pub(crate) fn singles(head: &Buffer, rest: &[Buffer]) -> Vec<Buffer> {
    let mut whole = head.clone();
    rest.iter().for_each(|part| whole.extend_from_slice(part.bytes()));
    let cut = wire::parse(whole.bytes()).map(|parsed| wire::segment(whole.bytes(), &parsed, whole.offload()));
    match cut {
        Ok(singles) if !singles.is_empty() => singles,
        Ok(_) | Err(_) => {
            whole.set_offload(wire::Offload::default());
            vec![whole]
        }
    }
}

/// What a kernel answers that does not take a super-packet, or a packet that is none.
fn is_refusal(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINVAL)
}

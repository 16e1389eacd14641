//! The calls that load, try and attach an eBPF program: one call per unsafe block.
#![expect(unsafe_code, reason = "no safe wrapper in use knows bpf(2) or steering programs")]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd as _, OwnedFd};
use std::ptr;

use crate::steering::Insn;

/// Loads a program that sees a packet from its IP header on.
pub(crate) fn load_socket_filter(program: &[Insn]) -> io::Result<OwnedFd> {
    load(program, &mut []).map_err(|refused| {
        let mut log = vec![0; LOG];
        // The second try only asks why.
        let _ = load(program, &mut log);
        match CStr::from_bytes_until_nul(&log) {
            Ok(log) if !log.is_empty() => {
                let why = format!("{refused}: {}", log.to_string_lossy().trim_end());
                io::Error::new(refused.kind(), why)
            }
            Ok(_) | Err(_) => refused,
        }
    })
}

fn load(program: &[Insn], log: &mut [u8]) -> io::Result<OwnedFd> {
    let mut request = LoadRequest {
        kind: SOCKET_FILTER,
        count: program.len() as u32, // a few hundred
        program: address(program.as_ptr()),
        license: address(LICENSE.as_ptr()),
        log_level: u32::from(!log.is_empty()),
        log_size: log.len() as u32, // below a constant
        log: if log.is_empty() { 0 } else { address(log.as_mut_ptr()) },
        ..LoadRequest::default()
    };
    let fd = call(PROG_LOAD, &mut request)?;
    // SAFETY: the call has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Runs the program once on an Ethernet frame, of which it sees what is behind the header, and returns its answer.
pub(crate) fn run(program: &impl AsFd, frame: &[u8]) -> io::Result<u32> {
    let mut request = RunRequest {
        program: program.as_fd().as_raw_fd().cast_unsigned(),
        length: u32::try_from(frame.len()).map_err(io::Error::other)?,
        frame: address(frame.as_ptr()),
        ..RunRequest::default()
    };
    call(PROG_TEST_RUN, &mut request)?;
    Ok(request.answer)
}

/// Lets `program` choose the queue of every packet that leaves through the device of `file`.
pub(crate) fn set_steering(file: &impl AsFd, program: &impl AsFd) -> io::Result<()> {
    let program = program.as_fd().as_raw_fd();
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: `fd` is open while `file` is borrowed; TUNSETSTEERINGEBPF reads one integer, which `program` is.
    let result = unsafe { libc::ioctl(fd, libc::TUNSETSTEERINGEBPF, &raw const program) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A command of bpf(2) with the start of `union bpf_attr` of include/uapi/linux/bpf.h; the rest of it counts as zero.
fn call<T>(command: libc::c_int, request: &mut T) -> io::Result<libc::c_int> {
    let size = size_of::<T>();
    // SAFETY: the kernel reads and writes `size` bytes of `request`; the addresses in it are those of slices that the caller
    // borrows, with their lengths beside them.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, ptr::from_mut(request), size) };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        libc::c_int::try_from(result).map_err(io::Error::other)
    }
}

fn address<T>(start: *const T) -> u64 {
    start.expose_provenance() as u64
}

/// The part for `BPF_PROG_LOAD`.
#[derive(Default)]
#[repr(C)]
struct LoadRequest {
    kind: u32,
    count: u32,
    program: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

/// The part for `BPF_PROG_TEST_RUN`.
#[derive(Default)]
#[repr(C)]
struct RunRequest {
    program: u32,
    answer: u32,
    length: u32,
    out_length: u32,
    frame: u64,
    out: u64,
    repeat: u32,
    duration: u32,
}

const PROG_LOAD: libc::c_int = 5;
const PROG_TEST_RUN: libc::c_int = 10;
const SOCKET_FILTER: u32 = 1;

/// The program calls nothing that only GPL programs may.
const LICENSE: &CStr = c"MIT";

/// Bytes of the verifier's explanation.
const LOG: usize = 64 * 1024;

use super::*;
use crate::doctor;
use crate::tun::TunOptions;

#[test]
fn a_read_that_fails_is_begun_again() {
    for errno in [libc::ENOBUFS, libc::EINVAL, libc::ENOMEM, libc::EIO] {
        let mut backend = attached();
        fail(&mut backend, errno);
        assert_eq!(backend.watched.stalled, [TOKEN]);
        assert!(backend.take_lost().is_empty(), "errno {errno}");
    }
}

#[test]
fn a_read_of_a_device_that_is_gone_is_not() {
    let mut backend = attached();
    fail(&mut backend, libc::EBADFD);
    assert!(backend.watched.stalled.is_empty());
    assert!(matches!(backend.take_lost()[..], [(TOKEN, _)]));
}

/// A backend that reads one device.
fn attached() -> UringBackend {
    let mut backend = UringBackend::new(&Waker::new().expect("eventfd")).expect("a ring");
    let tun = doctor::open_device(TunOptions::default()).expect("a device, as root");
    backend.attach(TOKEN, Arc::new(tun), 0).expect("attach");
    backend
}

/// Lets the device's read end as if the kernel had said so.
fn fail(backend: &mut UringBackend, errno: i32) {
    let outcome = Outcome::Failed(io::Error::from_raw_os_error(errno));
    let key = backend.watched.devices[&TOKEN].key;
    backend.handle(Completion { key, outcome, request: Request::Ended }).expect("handled");
}

const TOKEN: u32 = 5;

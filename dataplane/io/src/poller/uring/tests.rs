use super::*;
use crate::netns::in_a_new_namespace;
use crate::tun::TunOptions;

#[test]
fn a_read_that_fails_is_begun_again() {
    for errno in [libc::ENOBUFS, libc::EINVAL, libc::ENOMEM, libc::EIO] {
        let mut backend = attached([TOKEN]);
        fail(&mut backend, errno);
        assert_eq!(backend.watched.stalled, [TOKEN]);
        assert!(backend.take_lost().is_empty(), "errno {errno}");
    }
}

#[test]
fn a_read_of_a_device_that_is_gone_is_not() {
    let mut backend = attached([TOKEN]);
    fail(&mut backend, libc::EBADFD);
    assert!(backend.watched.stalled.is_empty());
    assert!(matches!(backend.take_lost()[..], [(TOKEN, _)]));
}

#[test]
fn reads_that_could_not_begin_are_not_forgotten() {
    let mut backend = attached([3, TOKEN, 7]);
    [3, TOKEN, 7].iter().for_each(|token| backend.watched.note(*token, Request::Ended));
    device(&mut backend).queue = 1;
    backend.wait(Some(Duration::ZERO)).expect_err("there is no such queue");
    assert_eq!(backend.watched.stalled.front(), Some(&TOKEN), "{:?}", backend.watched.stalled);
    device(&mut backend).queue = 0;
    backend.wait(Some(Duration::ZERO)).expect("all can be read");
    assert!(backend.watched.stalled.is_empty());
}

#[test]
fn a_waker_whose_watch_has_ended_is_watched_again() {
    let mut backend = attached([]);
    let outcome = Outcome::Event;
    backend.handle(Completion { key: WAKER, outcome, request: Request::Ended });
    assert_eq!(backend.waking, Request::Ended);
    backend.wait(Some(Duration::ZERO)).expect("wait");
    assert_eq!(backend.waking, Request::GoesOn);
}

#[test]
fn a_worker_does_not_sleep_while_a_request_has_to_be_tried_again() {
    let error = |kind: io::ErrorKind| Err(kind.into());
    assert_eq!(limit(Ok(()), true, None).expect("fine"), None);
    assert_eq!(limit(Ok(()), false, None).expect("packets wait"), Some(Duration::ZERO));
    assert_eq!(limit(error(io::ErrorKind::WouldBlock), true, None).expect("it passes"), Some(Duration::ZERO));
    limit(error(io::ErrorKind::InvalidInput), false, None).expect_err("it does not");
}

/// A backend that reads these devices.
fn attached<const N: usize>(tokens: [u32; N]) -> UringBackend {
    let mut backend = UringBackend::new(&Waker::new().expect("eventfd")).expect("a ring");
    for token in tokens {
        let tun = in_a_new_namespace(|netns| Tun::open(&netns, "test", TunOptions::default()))
            .expect("a device, as root");
        backend.attach(token, Arc::new(tun), 0).expect("attach");
    }
    backend.wait(Some(Duration::ZERO)).expect("begin to read");
    backend
}

fn device(backend: &mut UringBackend) -> &mut Device {
    backend.watched.devices.get_mut(&TOKEN).expect("attached")
}

/// Lets the device's read end as if the kernel had said so.
fn fail(backend: &mut UringBackend, errno: i32) {
    let outcome = Outcome::Failed(io::Error::from_raw_os_error(errno));
    let key = device(backend).key;
    backend.handle(Completion { key, outcome, request: Request::Ended });
}

const TOKEN: u32 = 5;

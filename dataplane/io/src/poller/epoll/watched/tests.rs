use super::*;
use crate::netns::in_a_new_namespace;
use crate::tun::TunOptions;

#[test]
fn a_device_that_epoll_refuses_stays_hot_until_it_is_taken() {
    let mut watched = Watched::new().expect("epoll");
    let tun = add_hot(&mut watched, 3);
    refuse(&watched, &tun);
    fall_silent(&mut watched, 3);
    assert!(watched.has_hot() && watched.devices.contains_key(&3));
    watched.epoll.delete(tun.as_fd()).expect("it was refused");
    fall_silent(&mut watched, 3);
    assert!(!watched.has_hot());
    assert!(watched.cool_all().is_empty(), "epoll watches it already");
}

/// A device without packets that is read without epoll.
pub(in crate::poller::epoll) fn add_hot(watched: &mut Watched, token: u32) -> Arc<Tun> {
    let tun = Arc::new(
        in_a_new_namespace(|netns| Tun::open(&netns, "test", TunOptions::default()))
            .expect("a device, as root"),
    );
    watched.add(token, Arc::clone(&tun), 0).expect("add");
    let device = watched.devices.get_mut(&token).expect("added");
    (0..1000).for_each(|_| device.heat.gave(0, 64));
    assert!(device.becomes_hot(&watched.epoll));
    watched.hot.push_back(token);
    tun
}

/// Has epoll refuse the device, for the one reason that concerns nobody else: it is there already. No event tells of it.
pub(in crate::poller::epoll) fn refuse(watched: &Watched, tun: &Tun) {
    let nothing = EpollEvent::new(EpollFlags::empty(), 0);
    watched.epoll.add(tun, nothing).expect("taken once");
}

/// Reads until the device has long counted as cold.
fn fall_silent(watched: &mut Watched, token: u32) {
    for _ in 0..1000 {
        let outcome = watched.read(token, &mut Buffer::with_capacity(64));
        assert_eq!(outcome.expect("no error"), None);
    }
}

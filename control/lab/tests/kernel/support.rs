//! Labs of unique names, and a look at what the kernel made of them.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lab::live::LiveLab;
use lab::{Dirs, OpenedDevice, Options, Plan};
use serde_json::Value;
use tempfile::TempDir;

/// One lab of a test: its directories, and its name in the text of its file. Everything that has its name goes when it does.
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) dirs: Dirs,
    _temporary: TempDir,
}

/// The lab of most tests, `LAB` standing for its name: a plain instance and one with two interfaces that forwards.
pub(crate) const TWO: &str = r#"
lab: LAB
account: "123456789012"
region: us-east-1
vpcs:
  app:
    cidr: [10.0.0.0/16]
    ipv6_cidr: 2600:1f18:aaaa:1000::/56
    subnets:
      a: { cidr: 10.0.1.0/24, ipv6_cidr: "2600:1f18:aaaa:1001::/64", az: us-east-1a }
      b: { cidr: 10.0.2.0/24, az: us-east-1a }
    instances:
      web: { subnet: a, private_ip: 10.0.1.10, ipv6_addresses: ["2600:1f18:aaaa:1001::10"] }
      fw:
        interfaces:
          eth0: { subnet: a, private_ips: [10.0.1.20, 10.0.1.21], source_dest_check: false }
          eth1: { subnet: b, private_ips: [10.0.2.20], mtu: 1500 }
"#;

impl Site {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let effective_user = fs::metadata("/proc/self").expect("/proc is mounted").uid();
        assert_eq!(
            effective_user, 0,
            "these tests make network namespaces and TUN devices: run them as root"
        );
        assert!(Path::new("/dev/net/tun").exists(), "these tests need /dev/net/tun: load the module `tun`");
        let temporary = TempDir::new().expect("a temporary directory");
        let at = |name| temporary.path().join(name);
        // What `ip netns exec` shows is at a fixed place.
        let dirs = Dirs { run: at("run"), var: at("var"), etc_netns: "/etc/netns".into() };
        let name = format!("vlt{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { name, dirs, _temporary: temporary }
    }

    /// The plan of a lab file.
    pub(crate) fn plan(&self, text: &str) -> Plan {
        let text = text.replace("LAB", &self.name);
        let (valid, _) = import::load("lab.yaml", &text).unwrap_or_else(|found| panic!("{found:?}"));
        Plan::of(&valid)
    }

    pub(crate) fn up(&self, text: &str) -> (LiveLab, Vec<OpenedDevice>) {
        LiveLab::up(&self.dirs, &self.plan(text), Options::default()).expect("the lab comes up")
    }

    /// Name of an instance's namespace.
    pub(crate) fn ns(&self, instance: &str) -> String {
        format!("{}-{instance}", self.name)
    }

    /// What `ip -json -n NAMESPACE …` prints.
    pub(crate) fn ip(&self, instance: &str, arguments: &[&str]) -> Vec<Value> {
        let namespace = self.ns(instance);
        let all = [&["ip", "-json", "-n", &namespace], arguments].concat();
        let text = run(&all);
        if text.trim().is_empty() {
            Vec::new()
        } else {
            serde_json::from_str(&text).expect("iproute2 prints JSON")
        }
    }

    /// `addr/length` of each address of a device, as the kernel orders them, IPv4 first.
    pub(crate) fn addresses(&self, instance: &str, device: &str) -> Vec<String> {
        let links = self.ip(instance, &["address", "show", "dev", device]);
        let infos = links[0]["addr_info"].as_array().expect("a list of addresses").clone();
        infos.iter().map(|a| format!("{}/{}", text(&a["local"]), a["prefixlen"])).collect()
    }

    /// `DESTINATION dev DEVICE src SOURCE` of each route of a table, in the kernel's order.
    pub(crate) fn routes(&self, instance: &str, family: &str, table: &str) -> Vec<String> {
        let routes = self.ip(instance, &[family, "route", "show", "table", table]);
        let words =
            |r: &Value| format!("{} dev {} src {}", text(&r["dst"]), text(&r["dev"]), text(&r["prefsrc"]));
        routes.iter().map(words).collect()
    }

    /// `SOURCE TABLE` of each rule that the kernel does not have by itself.
    pub(crate) fn rules(&self, instance: &str) -> Vec<String> {
        let rules = self.ip(instance, &["rule", "show"]);
        let ours = rules.iter().filter(|r| r["src"] != "all");
        ours.map(|r| format!("{} {}", text(&r["src"]), text(&r["table"]))).collect()
    }

    /// Kernel parameters as a program in the instance reads them, one per line.
    pub(crate) fn sysctl(&self, instance: &str, parameters: &[&str]) -> Vec<String> {
        let files = parameters.iter().map(|p| format!("/proc/sys/net/{p}")).collect::<Vec<_>>().join(" ");
        let namespace = self.ns(instance);
        let text = run(&["ip", "netns", "exec", &namespace, "sh", "-c", &format!("cat {files}")]);
        text.lines().map(str::to_owned).collect()
    }

    /// Whether the instance has a namespace.
    pub(crate) fn has(&self, instance: &str) -> bool {
        Path::new("/run/netns").join(self.ns(instance)).exists()
    }

    /// Ids of the processes in the instance.
    pub(crate) fn pids(&self, instance: &str) -> Vec<u32> {
        let namespace = self.ns(instance);
        run(&["ip", "netns", "pids", &namespace]).lines().map(|pid| pid.parse().expect("a number")).collect()
    }

    pub(crate) fn etc(&self, instance: &str) -> std::path::PathBuf {
        Path::new("/etc/netns").join(self.ns(instance))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let ours = |name: &str| name.starts_with(&format!("{}-", self.name));
        for name in names_in("/run/netns").into_iter().filter(|name| ours(name)) {
            let pids = output(&["ip", "netns", "pids", &name]);
            for pid in String::from_utf8_lossy(&pids.stdout).lines() {
                output(&["kill", "-KILL", pid]);
            }
            output(&["ip", "netns", "delete", &name]);
        }
        for name in names_in("/etc/netns").into_iter().filter(|name| ours(name)) {
            let _ = fs::remove_dir_all(Path::new("/etc/netns").join(name));
        }
    }
}

/// Standard output of a command that has to succeed within ten seconds.
pub(crate) fn run(command: &[&str]) -> String {
    let Output { status, stdout, stderr } = output(command);
    assert!(status.success(), "{command:?}: {status}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("the command prints UTF-8")
}

/// What a command does within ten seconds.
pub(crate) fn output(command: &[&str]) -> Output {
    Command::new("timeout").args(["-k", "1", "10"]).args(command).output().expect("coreutils has `timeout`")
}

/// Waits until `condition` holds, for ten seconds at most.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "other processes give no event that could be awaited")]
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("did not happen within ten seconds: {what}");
}

/// The device of an interface.
pub(crate) fn device<'a>(devices: &'a [OpenedDevice], namespace: &str, name: &str) -> &'a OpenedDevice {
    devices.iter().find(|d| d.namespace == namespace && d.device == name).expect("the device was opened")
}

/// Source and destination of the first IPv4 packet that waits in a device.
pub(crate) fn first_packet(device: &OpenedDevice) -> Option<(IpAddr, IpAddr)> {
    let mut pool = io::BufferPool::new(1);
    let mut buffer = pool.take();
    while device.tun.read(0, &mut buffer).expect("the device can be read").is_some() {
        if buffer.bytes()[0] >> 4 == 4 {
            let address = |at: usize| {
                let octets: [u8; 4] = buffer.bytes()[at..at + 4].try_into().expect("four bytes");
                IpAddr::V4(Ipv4Addr::from(octets))
            };
            return Some((address(12), address(16)));
        }
        buffer.clear();
    }
    None
}

fn names_in(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

//! Names that devices can have.

use std::fmt;
use std::io;

/// The longest name a device can have, in bytes: the kernel's `IFNAMSIZ` less the closing zero.
pub const DEVICE_NAME_MAX: usize = libc::IFNAMSIZ - 1;

/// A device name that the kernel takes as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceName(String);

impl DeviceName {
    /// Accepts what the kernel's `dev_valid_name` accepts, less `%`, which the kernel reads as a pattern to number.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, saying what is wrong with the name.
    pub fn new(name: &str) -> io::Result<Self> {
        match refusal(name) {
            None => Ok(Self(name.to_owned())),
            Some(why) => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, format!("device name {name:?} {why}")))
            }
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn refusal(name: &str) -> Option<String> {
    let odd = |c: char| matches!(c, '/' | ':' | '%' | '\0' | '\u{b}') || c.is_ascii_whitespace();
    if name.is_empty() {
        Some("is empty".to_owned())
    } else if name.len() > DEVICE_NAME_MAX {
        Some(format!("has {} bytes; the kernel allows {DEVICE_NAME_MAX}", name.len()))
    } else if matches!(name, "." | "..") {
        Some("stands for a directory".to_owned())
    } else {
        name.find(odd).map(|at| format!("has a character at byte {at} that the kernel does not allow"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_over_fifteen_bytes_is_refused_with_its_length() {
        let refused = DeviceName::new("interface-number-1").expect_err("too long");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        assert!(refused.to_string().contains("18 bytes; the kernel allows 15"), "{refused}");
        assert_eq!(DeviceName::new("fifteen-bytes-x").expect("fits").as_str(), "fifteen-bytes-x");
    }

    #[test]
    fn names_the_kernel_would_misread_are_refused() {
        for name in ["", ".", "..", "a/b", "a:b", "eth 0", "eth%d", "eth\t", "a\0"] {
            assert!(DeviceName::new(name).is_err(), "{name:?}");
        }
    }
}

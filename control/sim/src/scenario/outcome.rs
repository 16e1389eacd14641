//! Words for fates: `delivered`, `dropped CODE`, `held`.

use engine::DropReason;

use crate::Fate;

/// What a file expects of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Delivered,
    Dropped(DropReason),
    Held,
}

impl Expected {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        match text.split_once(' ') {
            None if text == "delivered" => Ok(Self::Delivered),
            None if text == "held" => Ok(Self::Held),
            Some(("dropped", code)) => reason(code).map(Self::Dropped),
            _ => Err(format!("`{text}` is no fate: delivered, dropped CODE or held")),
        }
    }

    pub(super) const fn of(fate: &Fate) -> Self {
        match fate {
            Fate::Delivered(_) | Fate::DeliveredToHost(_) => Self::Delivered,
            Fate::Dropped(reason) => Self::Dropped(*reason),
            Fate::Held => Self::Held,
        }
    }

    pub(super) fn words(self) -> String {
        match self {
            Self::Delivered => "delivered".to_owned(),
            Self::Dropped(reason) => format!("dropped {}", reason.code()),
            Self::Held => "held".to_owned(),
        }
    }
}

/// A drop reason by its code.
pub(super) fn reason(code: &str) -> Result<DropReason, String> {
    DropReason::from_code(code).ok_or_else(|| format!("`{code}` is no drop code"))
}

//! What goes wrong, in which order and how long after each other: all of it follows from a seed.

use std::time::Duration;

use oracle::world::dice::Dice;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// SIGKILL of a process.
    Kill,
    /// SIGKILL of a process, whose disk is lost with it.
    KillAndWipe,
    /// SIGKILL of a broker.
    KillBroker,
    /// SIGSTOP of a process, for so long that the others have its partitions when it goes on.
    Suspend,
    /// One more process takes its share.
    Join,
    /// A process leaves in good order.
    Leave,
}

impl Fault {
    /// All of them, in the order of the report.
    pub(crate) const ALL: [Self; 6] =
        [Self::Kill, Self::KillAndWipe, Self::KillBroker, Self::Suspend, Self::Join, Self::Leave];

    /// Its name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kill => "process killed",
            Self::KillAndWipe => "process killed, disk lost",
            Self::KillBroker => "broker killed",
            Self::Suspend => "zombie (stopped beyond its session, then continued)",
            Self::Join => "process added",
            Self::Leave => "process removed",
        }
    }

    /// Whether it is a kill.
    pub(crate) fn is_kill(self) -> bool {
        matches!(self, Self::Kill | Self::KillAndWipe | Self::KillBroker)
    }
}

/// One step of the plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlannedFault {
    pub(crate) fault: Fault,
    /// Whom it strikes: the running process, or broker, with this number, counted round.
    pub(crate) whom: usize,
    /// How long a killed process or broker stays away, and how much longer than its session a zombie sleeps.
    pub(crate) away: Duration,
    /// The time until the next fault.
    pub(crate) pause: Duration,
}

/// An endless plan.
pub(crate) struct Plan {
    dice: Dice,
    /// Of the faults to come, those that are certain: each kind occurs, however short the run.
    first: Vec<Fault>,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0xC4A0_5000);
        let mut first = Fault::ALL.to_vec();
        dice.shuffle(&mut first);
        // Nobody can leave who has not come.
        let [join, leave] =
            [Fault::Join, Fault::Leave].map(|fault| first.iter().position(|other| *other == fault));
        if let (Some(join), Some(leave)) = (join, leave)
            && leave > join
        {
            // Taken from the end.
            first.swap(join, leave);
        }
        Self { dice, first }
    }

    /// The next step.
    pub(crate) fn next(&mut self) -> PlannedFault {
        let any = match self.dice.below(100) {
            0..50 => Fault::Kill,
            50..70 => Fault::KillAndWipe,
            70..78 => Fault::KillBroker,
            78..88 => Fault::Suspend,
            88..94 => Fault::Join,
            _ => Fault::Leave,
        };
        // One certain kind after each two of any kind, in an order of chance.
        let certain = if self.dice.chance(50) { self.first.pop() } else { None };
        let millis = |millis: i64| Duration::from_millis(millis.unsigned_abs());
        PlannedFault {
            fault: certain.unwrap_or(any),
            whom: self.dice.below(1_000),
            away: millis(self.dice.between(0, 1_500)),
            pause: millis(self.dice.between(300, 3_500)),
        }
    }
}

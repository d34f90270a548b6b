//! The processes of the service, and what a supervisor does for them: whoever ends is started again.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::installation::{Installation, Running};

/// A process that was told to stop must have ended within this long.
const STOP_WITHIN: Duration = Duration::from_secs(40);

/// All processes of an installation, by their slots.
pub(crate) struct Fleet<'a> {
    installation: &'a Installation,
    members: Vec<Member>,
    /// How often a process gave up by itself, as when it started while a broker was away: the exit code says so.
    pub(crate) gave_up: u32,
    /// What must not happen.
    pub(crate) complaints: Vec<String>,
}

enum Member {
    /// Not part of the fleet.
    Away,
    Running(Running),
    /// Stopped by SIGSTOP.
    Suspended(Running, Instant),
    /// To be started again.
    Down(Instant),
    /// It was told to stop, then.
    Leaving(Running, Instant),
}

impl<'a> Fleet<'a> {
    /// Starts so many processes; there may be one more later.
    pub(crate) fn start(installation: &'a Installation, processes: usize) -> Self {
        let mut members: Vec<Member> = (0..=processes).map(|_| Member::Down(Instant::now())).collect();
        members[processes] = Member::Away;
        let mut fleet = Self { installation, members, gave_up: 0, complaints: Vec::new() };
        fleet.tend();
        fleet
    }

    /// Kills a process; whether one was there to be killed.
    pub(crate) fn kill(&mut self, whom: usize, wipe: bool, away: Duration) -> bool {
        let Some((slot, running)) = self.take_running(whom) else { return false };
        running.kill();
        if wipe {
            // Of a process that has never owned anything there is none.
            let _ = fs::remove_dir_all(state_folder(self.installation, slot));
        }
        self.members[slot] = Member::Down(Instant::now() + away);
        true
    }

    /// Stops a process for so long.
    pub(crate) fn suspend(&mut self, whom: usize, length: Duration) -> bool {
        // Two sleeping would leave too little to do the work.
        if self.members.iter().any(|member| matches!(member, Member::Suspended(..))) {
            return false;
        }
        let Some((slot, running)) = self.take_running(whom) else { return false };
        running.signal("STOP");
        self.members[slot] = Member::Suspended(running, Instant::now() + length);
        true
    }

    /// Adds a process.
    pub(crate) fn join(&mut self) -> bool {
        let Some(slot) = self.members.iter().position(|member| matches!(member, Member::Away)) else {
            return false;
        };
        self.members[slot] = Member::Running(self.run(slot));
        true
    }

    /// Tells a process to stop, unless all are needed.
    pub(crate) fn leave(&mut self, whom: usize) -> bool {
        if self.members.iter().any(|member| matches!(member, Member::Away | Member::Leaving(..))) {
            return false;
        }
        let Some((slot, running)) = self.take_running(whom) else { return false };
        running.terminate();
        self.members[slot] = Member::Leaving(running, Instant::now());
        true
    }

    /// Does what is due: starts, continues, sees who has ended.
    pub(crate) fn tend(&mut self) {
        let now = Instant::now();
        for slot in 0..self.members.len() {
            let member = std::mem::replace(&mut self.members[slot], Member::Away);
            self.members[slot] = match member {
                Member::Down(until) if until <= now => Member::Running(self.run(slot)),
                Member::Suspended(running, until) if until <= now => {
                    running.signal("CONT");
                    Member::Running(running)
                }
                Member::Running(mut running) => match running.ended() {
                    None => Member::Running(running),
                    Some(status) => {
                        self.gave_up += 1;
                        let log = running.log();
                        let last = log.lines().last().unwrap_or_default();
                        let _ = writeln!(std::io::stderr(), "process {slot} gave up: {last}");
                        // As its unit says: 1 means start again, everything else is a defect.
                        if status.code() != Some(1) || last.contains("defect") {
                            self.complaints.push(format!("process {slot} ended with {status}: {last}"));
                        }
                        Member::Down(now + Duration::from_secs(1))
                    }
                },
                Member::Leaving(mut running, since) => match running.ended() {
                    Some(status) if status.success() => Member::Away,
                    Some(status) => {
                        self.complaints
                            .push(format!("process {slot} was told to stop and ended with {status}"));
                        Member::Away
                    }
                    None if since.elapsed() > STOP_WITHIN => {
                        self.complaints.push(format!("process {slot} does not stop"));
                        Member::Away
                    }
                    None => Member::Leaving(running, since),
                },
                other => other,
            };
        }
    }

    /// Lets everybody work again.
    pub(crate) fn calm_down(&mut self) {
        let now = Instant::now();
        for member in &mut self.members {
            if let Member::Suspended(_, until) | Member::Down(until) = member {
                *until = now;
            }
        }
        self.tend();
    }

    /// Stops everybody in good order.
    pub(crate) fn stop(&mut self) {
        for member in &mut self.members {
            *member = match std::mem::replace(member, Member::Away) {
                Member::Running(running) => {
                    running.terminate();
                    Member::Leaving(running, Instant::now())
                }
                other => other,
            };
        }
        while self.members.iter().any(|member| matches!(member, Member::Leaving(..))) {
            self.tend();
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn take_running(&mut self, whom: usize) -> Option<(usize, Running)> {
        let is_running = |slot: &usize| matches!(self.members[*slot], Member::Running(_));
        let running: Vec<usize> = (0..self.members.len()).filter(is_running).collect();
        let slot = *running.get(whom % running.len().max(1))?;
        match std::mem::replace(&mut self.members[slot], Member::Away) {
            Member::Running(running) => Some((slot, running)),
            _ => None,
        }
    }

    fn run(&self, slot: usize) -> Running {
        let state = state_folder(self.installation, slot);
        let slot = u32::try_from(slot).expect("there are few slots");
        let environment = [("STORE_PATH", state.display().to_string())];
        self.installation.run_with(slot, &["--clock", "uploads"], &environment)
    }
}

fn state_folder(installation: &Installation, slot: usize) -> PathBuf {
    installation.folder.join(format!("state-{slot}"))
}

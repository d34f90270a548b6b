//! What a command says: results to standard output, warnings and errors to standard error.
//!
//! Whoever reads may stop: `tracewarden rules | head` closes the pipe after ten lines. That is no failure of the
//! command, whose files and exit code somebody may still wait for: it goes on in silence. A result that cannot be
//! written for another reason, such as a full disk, is a failure.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use super::Failure;

/// Prints a result.
pub(super) fn say(text: impl Display) -> Result<(), Failure> {
    say_to(&mut io::stdout().lock(), text)
}

fn say_to(out: &mut impl Write, text: impl Display) -> Result<(), Failure> {
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            Err(Failure { exit_code: 1, message: format!("cannot write to standard output: {error}") })
        }
    }
}

/// What somebody should know beside the result.
pub(super) fn warn(text: impl Display) {
    say_error(format_args!("warning: {text}"));
}

/// What went wrong. When nobody can read it the exit code still tells.
pub(super) fn say_error(text: impl Display) {
    let _ = writeln!(io::stderr(), "tracewarden: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place that takes nothing, for a reason.
    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_who_went_away_is_no_failure_and_a_full_disk_is_one() {
        let mut out = Vec::new();
        assert!(say_to(&mut out, "done").is_ok());
        assert_eq!(out, b"done\n");
        assert!(say_to(&mut Broken(ErrorKind::BrokenPipe), "done").is_ok());
        let failure = say_to(&mut Broken(ErrorKind::StorageFull), "done").unwrap_err();
        assert_eq!(failure.exit_code, 1);
        assert!(failure.message.starts_with("cannot write to standard output: "), "{}", failure.message);
    }
}

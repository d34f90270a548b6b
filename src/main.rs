//! The command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    tracewarden::commands::main()
}

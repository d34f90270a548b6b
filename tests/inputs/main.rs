//! What becomes of an input before any stage sees it: the canonical forms and the national interface's messages.

mod canonical;
mod handling;
mod nhsa;

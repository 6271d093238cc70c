//! What is public for the crates of this library only is no part of its interface.
use amp::accept::Lifecycle;
use amp::extension::Extension;
use amp::server::accept;
use amp::server::accept::AcceptLoop;

fn main() {}

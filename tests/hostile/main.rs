//! A server with its default settings, as a process of its own, attacked from outside.
//!
//! Every scene starts a server, lets an honest client call it, attacks, and then looks from outside at what the attack has
//! cost: the resident size of the server, the honest client's calls, the log, and what is left when the attackers have gone.
//! What may be seen is stated in `bounds`. Scenes run one at a time, whatever number of threads the harness uses, because they
//! measure. Each prints one line with what it has measured, also when it passes:
//! `cargo test -p amp-tests --test hostile half_a_box` runs one scene.

mod bounds;
mod commands;
mod decoding;
mod floods;
mod greed;
mod honest;
mod numbers;
mod process;
mod raw;
mod scene;
mod service;
mod silence;
mod streams;
mod text;
mod together;

//! `amp::testing` as its users see it: each helper passes where it should, and fails where it should with words that say why.

mod commands;
mod faults;
mod locators;
mod panics;
mod sample;
mod scripts;

//! Error enums that cannot be included, or not together.
use amp::ErrorCodes;

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Common {
    #[error("not found")]
    NotFound,
    #[error("{0}")]
    #[amp(invalid_argument)]
    Invalid(String),
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Codes {
    #[error("common")]
    #[amp(include)]
    Common(Common),
    #[error("not found")]
    NotFound,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Arguments {
    #[error("{0}")]
    #[amp(invalid_argument)]
    Wrong(String),
    #[error("common")]
    #[amp(include)]
    Common(Common),
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum NoErrors {
    #[error("text")]
    #[amp(include)]
    Text(u8),
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Twice {
    #[error("common")]
    #[amp(include)]
    Common(Common),
    #[error("again")]
    #[amp(include)]
    Again(Common),
}

fn main() {}

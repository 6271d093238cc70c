//! Declared errors that contradict each other.
use amp::ErrorCodes;

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Codes {
    #[error("one")]
    ZeroDivision,
    #[error("two")]
    #[amp(code = "ZERO_DIVISION")]
    Other,
    #[error("three")]
    #[amp(code = "")]
    Empty,
    #[error("four")]
    Zero_Division,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Shapes {
    #[error("two")]
    Two(String, u8),
    #[error("none")]
    None(),
    #[error("twice")]
    Twice {
        a: u8,
        #[amp(name = "a")]
        b: u8,
        _private: u8,
    },
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Invalid {
    #[error("first")]
    #[amp(invalid_argument)]
    First,
    #[error("second")]
    #[amp(invalid_argument)]
    Second(String),
    #[error("third")]
    #[amp(invalid_argument, fatal, fatal)]
    Third { argument: String },
}

fn raise(error: Codes) -> String {
    error.describe()
}

fn main() {}

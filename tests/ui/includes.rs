//! Variants that include nothing, or say more than that.
use amp::ErrorCodes;

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Common {
    #[error("not found")]
    NotFound,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Forms {
    #[error("a")]
    #[amp(include)]
    A,
    #[error("b")]
    #[amp(include)]
    B { common: Common },
    #[error("c")]
    #[amp(include)]
    C(Common, Common),
    #[error("d")]
    #[amp(include, code = "D", fatal, invalid_argument)]
    D(Common),
    #[error("e")]
    #[amp(includes)]
    E(Common),
    #[error("f")]
    #[amp(code = "")]
    F,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Generic<T: amp::value::Value + std::fmt::Debug> {
    #[error("a")]
    #[amp(include)]
    A(Common),
    #[error("b")]
    B { value: T },
}

fn main() {}

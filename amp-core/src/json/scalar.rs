use std::borrow::Cow;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Number, Value as Json};

use super::coding::{read, written};
use super::settings::BytesForm;
use super::shape::Scalar;
use super::{JsonErrorKind, number, texts, time};
use crate::value::{DateTime, Decimal, Octets, RawValue};
use crate::wire::{bytes_of_text, text_of_bytes};

impl Scalar<'_> {
    /// The value as it travels.
    pub(super) fn to_wire(self, json: &Json, form: BytesForm) -> Result<Vec<u8>, JsonErrorKind> {
        let text = |what| json.as_str().ok_or(JsonErrorKind::NotA(what));
        match self {
            Self::Integer(name) => {
                let text = number::text(json).ok_or(JsonErrorKind::NotA("an integer"))?;
                number::canonical(text.as_bytes(), name).map(String::into_bytes)
            }
            Self::Float => written(&float(json)?, "a float"),
            Self::Boolean => written(&json.as_bool().ok_or(JsonErrorKind::NotA("`true` or `false`"))?, "a boolean"),
            Self::Unicode => Ok(text("a string")?.as_bytes().to_vec()),
            Self::Bytes | Self::Custom => match form {
                BytesForm::Base64 => BASE64.decode(text(IN_BASE64)?).map_err(|_| JsonErrorKind::NotA(IN_BASE64)),
                BytesForm::Escaped => bytes_of_text(text(IN_ESCAPES)?).ok_or(JsonErrorKind::NotA(IN_ESCAPES)),
            },
            Self::Decimal => {
                let text = json.as_str().map(Cow::from).or_else(|| number::text(json).map(Cow::from));
                let text = text.ok_or(JsonErrorKind::NotA(A_DECIMAL))?;
                written(&text.parse::<Decimal>().map_err(|_| JsonErrorKind::NotA(A_DECIMAL))?, A_DECIMAL)
            }
            Self::DateTime => {
                let time = time::parse(text(A_TIME)?).map_err(|_| JsonErrorKind::NotA(A_TIME))?;
                written(&time, "a time with an offset of less than 24 hours")
            }
            Self::Path => written(&PathBuf::from(text("a path, in a string")?), "an absolute path"),
            Self::Text(of) => texts::respelled(of, text("a string")?).map(String::into_bytes),
            Self::Duration => {
                let seconds = written(&float(json)?, "a float")?;
                read::<Duration>(RawValue::new(&seconds)).map(|_| seconds)
            }
            Self::Octets(of) => {
                let (_, what) = texts::address(of);
                let address: Result<IpAddr, _> = text(what)?.parse();
                let address = address.ok().filter(|address| texts::holds(of, *address));
                written(&Octets(address.ok_or(JsonErrorKind::NotA(what))?), what)
            }
        }
    }

    /// A received value as JSON.
    pub(super) fn to_json(self, raw: RawValue<'_>, form: BytesForm) -> Result<Json, JsonErrorKind> {
        let bytes = raw.as_bytes();
        Ok(match self {
            Self::Integer(name) => number::to_json(number::canonical(bytes, name)?),
            Self::Float => {
                let number: f64 = read(raw)?;
                Number::from_f64(number).map_or_else(|| Json::from(not_finite(number)), Json::Number)
            }
            Self::Boolean => Json::Bool(read(raw)?),
            Self::Unicode | Self::Path => Json::String(read(raw)?),
            Self::Bytes | Self::Custom => Json::String(match form {
                BytesForm::Base64 => BASE64.encode(bytes),
                BytesForm::Escaped => text_of_bytes(bytes).into_owned(),
            }),
            Self::Decimal => Json::String(read::<Decimal>(raw)?.to_string()),
            Self::DateTime => Json::String(read::<DateTime>(raw)?.to_string()),
            Self::Text(of) => Json::String(texts::respelled(of, &read::<String>(raw)?)?),
            Self::Duration => {
                read::<Duration>(raw)?;
                Json::from(read::<f64>(raw)?)
            }
            Self::Octets(of) => {
                let (what, _) = texts::address(of);
                let address = read::<Octets<IpAddr>>(raw).ok().filter(|address| texts::holds(of, address.0));
                Json::String(address.ok_or(JsonErrorKind::NotA(what))?.to_string())
            }
        })
    }
}

const A_DECIMAL: &str =
    "a decimal in a string, such as \"12.50\", or an integer: a number with a point loses its digits";
const A_TIME: &str = "a time in a string, such as \"2012-01-23T12:34:56.054321+01:00\", of the years 1 to 9999";
const IN_BASE64: &str = "bytes: a string in Base64, with the standard alphabet and padding";
const IN_ESCAPES: &str = "bytes: a string with `\\\\` for a backslash and `\\xff` for a byte";

fn float(json: &Json) -> Result<f64, JsonErrorKind> {
    match json {
        Json::Number(number) => number.as_f64().ok_or(JsonErrorKind::OutOfRange("f64".to_owned())),
        Json::String(text) => read(RawValue::new(text.as_bytes())),
        _ => Err(JsonErrorKind::NotA("a float")),
    }
}

/// As JavaScript writes them; Python reads these, too.
fn not_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

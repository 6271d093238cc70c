//! What Python does not take as it stands in Rust: names, docs, patterns and words.

use std::sync::Arc;

use amp::locator::Locator;
use amp::{Command, Connection, ErrorCodes};

use crate::harness::{Twisted, generated, on, soon};

/// Not """docs""" of Python: 'a' "b" \ \n \u{41} \N{DASH} ""
///
/// and a second line, \x00 ä ☃ "
#[doc = "tab\tnul\0bell\u{7}return\rend\\"]
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(name = "odd-names", response = OddNames)]
struct OddNames {
    #[amp(name = "foo-bar")]
    hyphenated: u8,
    #[amp(name = "foo_bar")]
    clashing: u8,
    from: u8,
    #[amp(name = "From")]
    capital: u8,
    r#async: u8,
    #[amp(name = "None")]
    none: u8,
    print: u8,
    #[amp(name = "1st.try")]
    no_identifier: u8,
    #[amp(name = "ä")]
    not_ascii: u8,
    #[amp(name = "self")]
    this: u8,
    #[amp(name = "commandType")]
    parameter: u8,
    #[amp(name = "it's \"\\\n")]
    quoted: u8,
}

fn odd_names() -> OddNames {
    OddNames {
        hyphenated: 1,
        clashing: 2,
        from: 3,
        capital: 4,
        r#async: 5,
        none: 6,
        print: 7,
        no_identifier: 8,
        not_ascii: 9,
        this: 10,
        parameter: 11,
        quoted: 12,
    }
}

/// What they are called in Python.
const IN_PYTHON: &str = "dict(foo_bar_=1, foo_bar=2, From_=3, From=4, Async=5, None_=6, Print=7, _1st_try=8, _=9, \
    self_=10, commandType_=11, it_s____=12)";

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
#[allow(non_camel_case_types)]
enum Odd {
    /// """
    #[error("{0}")]
    #[amp(code = "it's \"\\\n☃\"\"\"")]
    Exception(String),
    #[error("{0}")]
    arguments(String),
    #[error("{0}")]
    lambda(String),
    #[error("{0}")]
    __Mangled(String),
    #[error("{0}")]
    InvalidArgument(String),
}

/// Names that a module needs itself, and the same name twice.
macro_rules! odd_commands {
    ($($struct:ident $name:literal)*) => {$(
        #[derive(Command, Debug)]
        #[amp(name = $name, errors = Odd)]
        struct $struct {
            fail: String,
            text: String,
        }
    )*};
}

odd_commands! {
    Lambda "lambda" Amp "amp" Exception "Exception" Field "_Field" Super "super" Dashed "lay-out" Underscored "lay_out"
    Digits "1" Mangled "__mangled" NotAscii "ä" Quoted "\"\"\"\\'\n" Used "Odd"
}

/// Patterns and words that Python reads in another way than Rust, or not at all.
#[derive(Command, Debug, Clone, PartialEq, Default)]
#[amp(response = Patterns)]
struct Patterns {
    #[constrain(pattern = r#"["'\\\n☃]+"""#)]
    quotes: Option<String>,
    #[constrain(pattern = r"\p{Lu}[[:alpha:]&&[^x]]\z")]
    only_rust: Option<String>,
    #[constrain(pattern = r"\<a\>")]
    boundaries: Option<String>,
    #[constrain(pattern = r"a++a")]
    possessive: Option<String>,
    #[constrain(pattern = r"\w+")]
    letters: Option<String>,
    #[constrain(pattern = "a|b$")]
    end: Option<String>,
    #[constrain(in_set = ["\"", "\\", "\n☃\0", "'''"])]
    texts: Option<String>,
    #[constrain(in_set = [b"\"\\\n\0\xff'"])]
    bytes: Option<Vec<u8>>,
    #[constrain(with = |text: &String| text != "\n\r\\")]
    closure: Option<String>,
    #[constrain(not_in_set = [0.1, 1e300], range = f64::NEG_INFINITY..=f64::MAX)]
    floats: Option<f64>,
    #[constrain(each(range = 1..=9))]
    each_byte: Option<Vec<u8>>,
    #[constrain(each(in_set = ["a"]), length = 1..)]
    each_text: Option<Vec<String>>,
}

fn responders() -> impl Locator + Clone {
    macro_rules! odd {
        ($($struct:ident)*) => { vec![$(
            Box::new(on(async |$struct { fail, text }| Err(match &*fail {
                "Exception__" => Odd::Exception(text),
                "arguments_" => Odd::arguments(text),
                "lambda__" => Odd::lambda(text),
                "_Mangled" => Odd::__Mangled(text),
                _ => Odd::InvalidArgument(text),
            }.into()))) as Box<dyn Locator>,
        )*] };
    }
    let odd = odd! { Lambda Amp Exception Field Super Dashed Underscored Digits Mangled NotAscii Quoted Used };
    Arc::new((on(async |it: OddNames| Ok(it)), on(async |it: Patterns| Ok(it)), odd))
}

#[tokio::test]
async fn names_that_python_does_not_take_have_others_there() {
    let Some(module) = generated(&responders()) else { return };
    let Some((connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    twisted.learn(module.path()).await;
    assert_eq!(soon(connection.call(odd_names())).await.unwrap(), odd_names());
    assert_eq!(twisted.say(&format!("noted[0] == {IN_PYTHON} or noted")).await, "True");
    let Some(mut served) = Twisted::calling(responders()).await else { return };
    served.twisted.learn(module.path()).await;
    let same = format!("call(learned.odd_names, **{IN_PYTHON}).addCallback(lambda it: it == {IN_PYTHON} or it)");
    assert_eq!(served.twisted.say(&same).await, "True");
    let doc = served.twisted.say("learned.odd_names.__doc__").await;
    let (quotes, control) =
        (r#"Not """docs""" of Python: \'a\' "b" \\ \\n \\u{41} \\N{DASH} """#, r"tab\tnul\x00bell\x07return\rend\\");
    assert!(doc.contains(quotes) && doc.contains(control), "{doc}");
}

#[tokio::test]
async fn commands_and_errors_whose_names_are_taken_have_others() {
    let Some(module) = generated(&responders()) else { return };
    let Some((connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    twisted.learn(module.path()).await;
    for (name, error) in [
        ("Exception__", Odd::Exception("x".into())),
        ("arguments_", Odd::arguments("x".into())),
        ("lambda__", Odd::lambda("x".into())),
        ("_Mangled", Odd::__Mangled("x".into())),
        ("InvalidArgument", Odd::InvalidArgument("x".into())),
    ] {
        let refused = soon(connection.call(Lambda { fail: name.into(), text: "x".into() })).await.unwrap_err();
        assert_eq!(refused.declared(), Some(&error), "{refused:?}");
        let Some(mut served) = Twisted::calling(responders()).await else { return };
        served.twisted.learn(module.path()).await;
        for command in ["lambda_", "amp_", "lay_out", "lay_out_", "_1", "_mangled", "Odd", "super_", "_Field_"] {
            let said = served.twisted.say(&format!("call(learned.{command}, fail='{name}', text='x')")).await;
            assert_eq!(said, format!("{name}: x"), "{command}");
        }
    }
}

#[tokio::test]
async fn patterns_sets_and_words_mean_the_same_to_python_or_are_left_to_rust() {
    let Some(module) = generated(&responders()) else { return };
    let Some(mut served) = Twisted::calling(responders()).await else { return };
    served.twisted.learn(module.path()).await;
    for (good, bad, by) in [
        (r#"quotes='"\'\\\n""'"#, "quotes='x'", "ConstraintError"),
        ("only_rust='\u{c4}a'", "only_rust='ax'", "InvalidArgument"),
        ("boundaries='a'", "boundaries='<a>'", "InvalidArgument"),
        ("possessive='aaa'", "possessive='a'", "InvalidArgument"),
        ("letters='e\u{301}'", "letters=' '", "ConstraintError"),
        ("end='b'", "end='b\\n'", "ConstraintError"),
        (r"texts='\n\u2603\0'", "texts='x'", "ConstraintError"),
        (r#"bytes=b'"\\\n\0\xff\''"#, "bytes=b''", "ConstraintError"),
        ("closure='x'", r"closure='\n\r\\'", "InvalidArgument"),
        ("floats=float('-inf')", "floats=0.1", "ConstraintError"),
        ("floats=1.0", "floats=float('inf')", "ConstraintError"),
        (r"each_byte=b'\x01\t'", r"each_byte=b'\x01\0'", "ConstraintError"),
        ("each_text=['a']", "each_text=['a', 'b']", "ConstraintError"),
    ] {
        let field = good.split('=').next().unwrap();
        let same = format!(
            "call(learned.Patterns, {good}).addCallback(lambda it: it[{field:?}] == dict({good})[{field:?}] or it)"
        );
        assert_eq!(served.twisted.say(&same).await, "True", "{good}");
        let said = served.twisted.say(&format!("call(learned.Patterns, {bad})")).await;
        assert!(said.starts_with(&format!("{by}: {field}")), "{bad}: {said}");
    }
}

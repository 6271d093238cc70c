//! The macros of [`amp-rpc`](https://docs.rs/amp-rpc), whose library is `amp`. Use them from there.
//!
//! Each macro is a small compiler: `parse` reads the user's tokens into a model, `check` holds the rules, `expand` turns the
//! model into code, which is calls into the hidden module `amp::__private`. Mistakes are collected, so that one run of the
//! compiler shows all of them, each on its own tokens; stubs are emitted beside them, so that the rest of the program causes no
//! further errors.

mod arguments;
mod attributes;
mod code;
mod command;
mod conditions;
mod constraints;
mod docs;
mod error_codes;
mod errors;
mod fields;
mod generics;
mod lints;
mod notation;
mod responder;
mod spelling;
mod stub;
mod value;
mod wire_name;
mod with;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives `amp::Arguments` and `amp::value::Value`: a struct that travels as a box.
///
/// For responses, and for fields that are boxes themselves: a field of the type is one nested box, a `Vec` of it an
/// AMP list. A command takes [`Command`](macro@Command) instead.
///
/// ```
/// use amp::Arguments;
///
/// #[derive(Arguments, Debug)]
/// pub struct Quotient {
///     #[constrain(range = 0.0..=1.0)]
///     pub result: f64,
///     #[amp(name = "rest-of-it")]
///     pub rest: Option<u32>,
/// }
/// ```
///
/// The fields are written in bytewise order of their names on the wire, which are the fields' own names unless `name` sets
/// another (`r#type` is `type`). Every field is an `amp::value::Argument`; `Option` makes it optional. The struct may have type
/// and const parameters.
///
/// # Settings
/// - on the struct: `#[amp(rename_all = "camelCase")]`, the case of the names that are not given: `lowercase`, `UPPERCASE`, `PascalCase`,
///   `camelCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, `kebab-case` or `SCREAMING-KEBAB-CASE`;
/// - on the struct: `#[amp(crate = path)]`, where this project is not `::amp`;
/// - on the struct: `#[amp(bound = "T: Value")]`, the bounds of the impls on the type parameters, besides `Send + 'static`. By
///   default they require that each field which mentions a parameter is an `amp::value::Argument`. Two generic structs that hold
///   lists of each other need it: the compiler would go round in circles between their fields, and reports that as E0275;
/// - on a field: `#[amp(name = "..")]`, its name on the wire: 1 to 255 bytes that do not begin with `_`;
/// - on a field: `#[amp(with = Type)]`, a type that implements `amp::value::With` for the type of the field, or of what is in its
///   `Option` or `Vec`, and writes and reads it. It adds no bound on type parameters;
/// - on a field: `#[amp(text)]` writes and reads it by `Display` and `FromStr`, as an `amp::value::Text`, and `#[amp(json)]` by serde, as
///   an `amp::value::Json` (feature `json`). With `text` what is in an `Option` or a `Vec` is a text; with `json` a `Vec` is one array,
///   and the key is absent for the `None` of a type that is written as `Option<..>`;
/// - on a field: `#[amp(default)]`, `#[amp(default = expression)]`: an absent key is `Default::default()`, or the expression. The
///   field is written in any case, so that a receiver of an earlier version, which needs it, has it;
/// - on a field: `#[amp(alias = "..")]`, another name under which it is read, may be given several times. It is written under its
///   own; a box that has it under two names is refused;
/// - on a field: `#[amp(flatten)]`, the fields of its type, which has `#[derive(Arguments)]`, stand in its place, as if they were
///   written here. A struct with parameters cannot have them;
/// - on a field: `#[amp(split = 500_000)]`: its value has up to so many bytes and is split over several keys, as an
///   `amp::value::Big`: `name`, `name.2`, `name.3`, …. With `from_zero` beside it they are `name.0`, `name.1`, …. The field is a value
///   or an `Option` of one.
///
/// # Constraints
/// `#[constrain(..)]` on a field holds rules, in one attribute or several. They are checked at both ends: before a byte is
/// written, and before the program sees a received value. A rule checks the value in an `Option` if there is one, and the rules
/// of nested boxes and their lists apply wherever these are fields.
/// - `in_set = [1, 2]`: one of these; an array, or the path of a constant or function that returns an array, slice or `Vec` of
///   items comparable with the value (`&str` with a `String`, `&[u8]` with bytes);
/// - `not_in_set = [0]`: none of these;
/// - `range = 0..=100`: within any form of range, or the path of one. NaN lies in no range;
/// - `length = 1..=64`, `length = 16`: bytes of a byte string, characters of a text, items of a list;
/// - `length(bytes = 1..=64)`: bytes of a text;
/// - `pattern = "[a-z]+"`: the whole text matches this regular expression (feature `regex` of `amp-rpc`);
/// - `non_empty`: a text, byte string or list that is not empty;
/// - `with = is_prime`, `with = DivisibleBy(11)`: any `fn(&T) -> bool` or value that is an `amp::constraint::Constraint<T>`; for
///   a `String` also a function that takes `&str`, for a `Vec<T>` one that takes `&[T]`; a generic function is named with its
///   type: `is_new::<String>`; may be given several times;
/// - `each(non_empty, length = ..=9)`: rules for each item of a list; nests.
///
/// `#[constrain(with = path, at = [from, to])]` on the struct is a rule for several fields together: a `fn(&Struct) -> bool` or a
/// `Constraint<Struct>`, and the fields that a violation names. Each is an attribute of its own, checked after those of the fields.
///
/// The declaration also goes into `amp::Arguments::FIELDS`, with the doc comments of the fields, for schemas.
///
/// # Compile errors
/// - an enum, a union, or a struct whose fields have no names; a lifetime parameter;
/// - a field whose name on the wire is empty, has more than 255 bytes, begins with `_`, or is another field's;
/// - a field whose type is no `amp::value::Argument`, or is an `Option` of an `Option` (where a type parameter decides that, the
///   error appears when the program is built, not by `cargo check`);
/// - a rule that is unknown, has no value, a value of the wrong form, or one too many; a rule that is given twice; an `each(..)`
///   without rules; `#[constrain]` without parentheses or with empty ones; on the struct any but `with` together with `at`, or a field
///   that does not travel;
/// - a set without items; `..`, and a range or a length without a value between its bounds; NaN as a bound or an item; a negative
///   length, or any from 0 on; where the field is one value, or an `Option` of one, a length that a value of at most 65,535 bytes
///   never has, or always (found by the field's type, once everything else is right). Only literal bounds are checked: the macro
///   knows neither constants nor the range of a number's type (`range = 0..` is allowed on a `u8`);
/// - a text that is no regular expression or too large a one, or any pattern without the feature `regex`;
/// - a rule that does not fit the type of the field, a literal outside of that type;
/// - a `with` that is not for the type of the field; a default of another type, or of an `Option`, whose absence is `None`; an alias
///   that is a name of the same or another field;
/// - `split` on a field that is no value, or beside `with`; `from_zero` without `split`; a field whose name is that of a part of
///   another, which is split or an `amp::value::Big`; an `Option` of a field numbered from zero whose absence means empty;
/// - `flatten` beside other settings or constraints, on a field whose type is no `amp::Arguments`, has a name that another
///   field has, or is a command with `#[exposed]` fields;
/// - `#[exposed]`, which only a command has;
/// - a setting that is unknown, belongs elsewhere, is given twice, has no value, a value of the wrong form, or one
///   too many; `#[amp]` without parentheses.
#[proc_macro_derive(Arguments, attributes(amp, exposed, constrain))]
pub fn derive_arguments(input: TokenStream) -> TokenStream {
    arguments::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Derives `amp::Command` and `amp::Arguments`: the struct of a command's arguments.
///
/// ```
/// use amp::{Arguments, Command, ErrorCodes, Exposed, Peer};
/// # #[derive(Arguments, Debug)]
/// # pub struct Quotient {
/// #     pub result: f64,
/// # }
/// # #[derive(ErrorCodes, thiserror::Error, Debug)]
/// # pub enum DivideError {}
/// /// Divide one integer by another.
/// #[derive(Command, Debug)]
/// #[amp(response = Quotient, errors = DivideError)]
/// pub struct Divide {
///     pub numerator: i64,
///     #[constrain(not_in_set = [0])]
///     pub denominator: i64,
///     #[exposed]
///     pub peer: Exposed<Peer>,
/// }
/// ```
///
/// Fields and their constraints are as with [`Arguments`](macro@Arguments). A field with `#[exposed]` has the type
/// `amp::Exposed<..>` and never travels: it is empty at the caller, and filled in where the command is answered.
///
/// # Settings
/// - `name = ".."`: the command's name on the wire; the struct's by default;
/// - `response = Type`: the fields of a successful answer, a type with `#[derive(Arguments)]`; `()` by default;
/// - `errors = Type`: the declared errors, an enum with `#[derive(ErrorCodes)]`; none by default;
/// - `no_answer`: the caller does not wait for an answer, and a command that was sent runs to its end when the caller leaves;
/// - `detached`: a responder that has begun runs to its end when the caller leaves, though it waits for an answer;
/// - `new`: generates a constructor, as visible as the struct: `Divide::new(numerator, denominator)` takes the fields that
///   travel, in the order in which they are written, and leaves exposed ones empty. A caller that uses it still compiles when the
///   command gets one more exposed field; one more field that travels, optional or not, is one more parameter;
/// - `bound = "T: Value"`, `rename_all = ".."`: as with [`Arguments`](macro@Arguments);
/// - `crate = path`: where this project is not `::amp`.
///
/// # Compile errors
/// - those of [`Arguments`](macro@Arguments), except the one for `#[exposed]`;
/// - a name that is empty, has more than 65,535 bytes, or begins with `amp.`;
/// - `no_answer` together with `response`;
/// - a response that is no `amp::Arguments`, errors that are no `amp::ErrorCodes`;
/// - in a responder, `` expected `()`, found `Quotient` `` at its `Ok(..)`: the command declares no response; write `response = Quotient`;
/// - `#[exposed]` on the struct, twice, with a value, together with a `name` or with `#[constrain(..)]`, on a field that is no `amp::Exposed<..>`
///   or of a type that nothing provides.
#[proc_macro_derive(Command, attributes(amp, exposed, constrain))]
pub fn derive_command(input: TokenStream) -> TokenStream {
    command::derive(&parse_macro_input!(input as DeriveInput)).into()
}

#[doc = include_str!("value/derive.md")]
#[proc_macro_derive(Value, attributes(amp, exposed, constrain))]
pub fn derive_value(input: TokenStream) -> TokenStream {
    value::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Derives `amp::ErrorCodes`: the errors that a command declares.
///
/// ```
/// use amp::ErrorCodes;
///
/// #[derive(ErrorCodes, thiserror::Error, Debug)]
/// pub enum DivideError {
///     #[error("cannot divide by zero")]
///     ZeroDivision,                               // code ZERO_DIVISION
///     #[error("the abacus is broken")]
///     #[amp(code = "ABACUS", fatal)]
///     Broken,
///     #[error("{0}")]
///     #[amp(invalid_argument)]
///     Value(String),                              // the text is the description
///     #[error("try again in {seconds} s")]
///     TooEarly { seconds: u32 },                  // travels with the error
/// }
/// ```
///
/// A variant without fields is described by `Display`, one with a `String` by that string. Named fields are further keys of the
/// error box, which a peer that does not know them ignores; from a peer that does not send them the error arrives as
/// `CallError::Remote`. They are as with [`Arguments`](macro@Arguments).
///
/// The library has codes of its own, in `amp::error::codes`: `UNHANDLED`, `UNKNOWN`, `INVALID_ARGUMENT`, `BUSY`, `DRAINING` and
/// others. If a variant has one of them, as `Unknown` has by its name, a caller sees the variant also when the library answers
/// with that code. Choose another name or another code.
///
/// # Settings
/// - on the enum: `crate = path`, where this project is not `::amp`; `bound = "T: Value"`, as with
///   [`Arguments`](macro@Arguments);
/// - on a variant: `code = ".."`, its code on the wire; by default the variant's name as in `ZERO_DIVISION`
///   (`HTTPError` is `HTTP_ERROR`, `Utf8Invalid` is `UTF8_INVALID`, `Code404` is `CODE404`);
/// - on the enum: `rename_all = ".."`, another case of the codes, and on a variant, the case of the names of its fields, as with
///   [`Arguments`](macro@Arguments): with `PascalCase` the code is the variant's name;
/// - on a variant: `fatal`, the connection ends after the answer;
/// - on a variant with one unnamed field: `include`, see below;
/// - on one variant: `invalid_argument`, an argument that does not decode or breaks a constraint is answered with this
///   error.
///
/// # Errors that commands have in common
/// ```
/// use amp::{Command, ErrorCodes, Reply, responder};
///
/// /// What every command of a logged-in user may answer.
/// #[derive(ErrorCodes, thiserror::Error, Debug)]
/// pub enum AccessError {
///     #[error("log in first")]
///     NotLoggedIn,
/// }
///
/// #[derive(ErrorCodes, thiserror::Error, Debug)]
/// pub enum DeleteError {
///     #[error("there is no such file")]
///     NotFound,
///     #[error(transparent)]
///     #[amp(include)]
///     Access(#[from] AccessError),
/// }
///
/// #[derive(Command, Debug)]
/// #[amp(errors = DeleteError)]
/// pub struct Delete {
///     pub path: String,
/// }
///
/// struct Session {
///     user: Option<String>,
/// }
///
/// impl Session {
///     fn user(&self) -> Result<&str, AccessError> {
///         self.user.as_deref().ok_or(AccessError::NotLoggedIn)
///     }
/// }
///
/// #[responder]
/// impl Session {
///     async fn delete(&self, command: Delete) -> Reply<Delete> {
///         let user = self.user()?; // answered as `DeleteError::Access(AccessError::NotLoggedIn)`
///         println!("{user} deletes {}", command.path);
///         Err(DeleteError::NotFound.into())
///     }
/// }
/// ```
///
/// With `include` a variant holds an error of another enum, and the codes of that enum are declared here, too, as a command of
/// Twisted's inherits the `errors` of its class. The wire does not show where they come from. Code, description, fields, `fatal`
/// and `invalid_argument` are as the other enum declares them.
///
/// In a responder `?` and `.into()` lift an included error, too. They look one enum deep: an error that the included enum includes
/// itself is converted into that one first, `.map_err(AccessError::from)?`.
///
/// # Compile errors
/// - a struct or a union; a lifetime parameter; an enum that is no `std::error::Error`;
/// - a variant with several unnamed fields, or with one that is no `String`;
/// - two variants with one code, also with one of an included enum; a code that is empty or has more than 65,535 bytes;
/// - `include` beside other settings, on a variant that does not hold another enum of errors, or in an enum with parameters;
/// - two variants with `invalid_argument`, or one with named fields;
/// - `#[constrain(..)]` anywhere: errors are not checked;
/// - those of [`Arguments`](macro@Arguments) for fields and settings.
#[proc_macro_derive(ErrorCodes, attributes(amp, exposed, constrain))]
pub fn derive_error_codes(input: TokenStream) -> TokenStream {
    error_codes::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes methods answer commands: on a trait, or in a shorter form on an `impl` block.
///
/// # On a trait
/// ```
/// use amp::{Command, Reply, responder};
/// # #[derive(Command, Debug)]
/// # pub struct Divide;
/// #[responder]
/// pub trait Calculator {
///     /// Docs stay on the method.
///     async fn divide(&self, command: Divide) -> Reply<Divide>;
/// }
/// ```
///
/// The trait stays, with futures that are `Send` and with the supertraits `Send` and `Sync`; it is implemented with `async fn`,
/// and methods may have a body of their own. These types are generated beside it, as visible as the trait:
/// - `CalculatorClient`, which calls the commands over a connection (`CalculatorClient::new(&connection)`) and is itself a
///   `Calculator`; `client.with_timeout(limit)` is a client with that time limit for each call;
/// - `CalculatorLocator`, a locator that answers the commands with any other `Calculator`:
///   `CalculatorLocator::new(abacus)`, or `from_arc` to share it.
///
/// An `Arc` of an implementor is an implementor, too: `CalculatorLocator::new(Arc::clone(&abacus))` shares one among connections,
/// and a function that takes an `impl Calculator` takes it. If the trait extends others, that holds for an `Arc` that implements
/// them.
///
/// # Traits that extend others
/// ```
/// use amp::{Command, Reply, responder};
/// # #[derive(Command, Debug)]
/// # pub struct Ping;
/// # #[derive(Command, Debug)]
/// # pub struct Stop;
/// #[responder]
/// pub trait Basic {
///     async fn ping(&self, command: Ping) -> Reply<Ping>;
/// }
///
/// #[responder(extends(Basic))]
/// pub trait Admin: Basic {
///     async fn stop(&self, command: Stop) -> Reply<Stop>;
/// }
/// ```
///
/// `AdminLocator` answers the commands of `Basic`, too, after its own, and `AdminClient` is a `Basic`. The parentheses list all
/// responder traits among the supertraits, each by the path that also leads to its locator, and the traits which they extend:
/// `#[responder(extends(Admin, Basic))] trait Root: Admin + Basic`. A supertrait that is no responder trait must be implemented
/// for the client by hand.
///
/// Implement a responder trait for types, and not for all types that implement another trait: its client and `Arc` have such
/// impls already.
///
/// # When the caller leaves
/// A responder whose caller waits for an answer is dropped at its next await when the connection ends. A responder whose caller
/// wants none (`no_answer`, `notify`), and one of a command with `#[amp(detached)]`, runs on for up to
/// `amp::Settings::close_timeout`. A responder that must outlive its caller for longer spawns a task of its own.
///
/// # Responders that compute or block
/// The part of a responder before its first await runs on the connection's reader: responders begin in the order of their
/// commands, and one that is ready at once costs no task. While it computes or blocks, nothing else happens on its connection: no
/// other command is begun, no answer is delivered, no byte of a stream is read. Some first polls are timed, and a command whose
/// responders repeatedly take longer than `amp::Settings::slow_poll`, 10 ms by default, is logged. Remedies:
/// - `#[amp(spawn)]` on the method, or `#[responder(spawn)]` on the trait or the block for all methods that it declares itself:
///   the responder is a task of its own from the beginning, on any thread of the runtime. It may begin after one of a later
///   command. Its arguments are decoded before, on the connection's reader. On a trait it applies to every implementor behind
///   `CalculatorLocator`; the methods of a trait that it extends begin as that trait says;
/// - `tokio::task::spawn_blocking` for code that blocks for long: a task that blocks keeps a thread of the runtime.
///
/// # On an `impl` block
/// ```
/// use amp::{Command, Reply, responder};
/// # #[derive(Command, Debug)]
/// # pub struct Divide;
/// # struct Abacus;
/// #[responder]
/// impl Abacus {
///     async fn divide(&self, command: Divide) -> Reply<Divide> {
///         # let _ = command;
///         Ok(())
///     }
/// }
/// ```
///
/// The block stays, every method in it is a responder, and `abacus.into_locator()` makes a locator. The type may
/// have parameters, and has one such block.
///
/// A method may take up to six parameters after the command, each an `amp::locator::Exposable`, as exposed fields hold: `async fn
/// divide(&self, command: Divide, connection: Connection, pool: State<Pool>) -> Reply<Divide>`.
///
/// In both forms `#[cfg(..)]` on a method applies to everything that is generated from it, also the `cfg` that a `cfg_attr`
/// makes. A mistake behind one is reported where the condition holds.
///
/// # Beside other macros
/// A macro that reads the trait must stand below `#[responder]`, which is expanded first: `#[responder] #[mockall::automock]
/// trait ..` makes a mock whose methods return boxed futures.
///
/// # Settings
/// - `#[responder(extends(Trait, ..))]`, on a trait: see above;
/// - `#[responder(dyn)]`, on a trait: generates `DynCalculator`, a trait for objects, whose futures are boxed. Every `Calculator`
///   is a `DynCalculator`, and an `Arc<dyn DynCalculator>` is a `Calculator`: it is called by the same methods and makes a
///   locator. Not together with `extends`; other supertraits must be object-safe;
/// - `#[responder(crate = path)]`, where this project is not `::amp`;
/// - `#[responder(spawn)]`, and on a method `#[amp(spawn)]`: see above.
///
/// # Compile errors
/// - another item; the implementation of a trait (the macro stands on the trait itself);
/// - a method that is not `async`, does not take `&self` and a command by value, has type or lifetime parameters or a
///   where clause of its own, is `unsafe` or `extern`, or returns nothing;
/// - a parameter after the command: in a trait; the seventh in an `impl` block; a reference; a type that nothing provides;
/// - a trait in `extends(..)` that is no supertrait; a supertrait that the client does not implement; two of these traits with commands
///   of one name;
/// - any item but methods within; a trait with parameters or a where clause, or an `unsafe` one; a lifetime parameter of the
///   type;
/// - a type that is no command, a reply that is not the command's, a future that is not `Send`;
/// - two methods of one name, for one command, or for two commands with one name; in a trait a method `connection`, which the client
///   has itself, or `clone`, `to_owned`, `clone_into`, `into` or `try_into`, which a call of the client could mean as well; in an `impl` block
///   `into_locator`; a condition on a parameter;
/// - a setting that is unknown, or stands behind a `cfg_attr`.
#[proc_macro_attribute]
pub fn responder(settings: TokenStream, item: TokenStream) -> TokenStream {
    responder::attribute(settings.into(), &item.into()).into()
}

/// Replaces [`macro@responder`] where the feature `tokio` is off.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn responder_without_tokio(_: TokenStream, _: TokenStream) -> TokenStream {
    responder::without_tokio().into()
}

//! Users of Twisted or txampext find items by the names that they know: each is the name of a public item or an alias of one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All that `twisted.protocols.amp` exports (`amp.__all__` of Twisted 26), methods of its classes that users call or override, and the names
/// of txampext. Each is found here, unless it stands in [`WITHOUT`].
const NAMES: &[&str] = &[
    // twisted.protocols.amp
    "AMP",
    "ANSWER",
    "ASK",
    "AmpBox",
    "AmpError",
    "AmpList",
    "Argument",
    "BadLocalReturn",
    "BinaryBoxProtocol",
    "Boolean",
    "Box",
    "BoxDispatcher",
    "COMMAND",
    "Command",
    "CommandLocator",
    "Decimal",
    "DateTime",
    "Descriptor",
    "ERROR",
    "ERROR_CODE",
    "ERROR_DESCRIPTION",
    "Float",
    "IArgumentType",
    "IBoxReceiver",
    "IBoxSender",
    "IResponderLocator",
    "IncompatibleVersions",
    "Integer",
    "InvalidSignature",
    "ListOf",
    "MAX_KEY_LENGTH",
    "MAX_VALUE_LENGTH",
    "MalformedAmpBox",
    "NoEmptyBoxes",
    "OnlyOneTLS",
    "PROTOCOL_ERRORS",
    "PYTHON_KEYWORDS",
    "Path",
    "ProtocolSwitchCommand",
    "ProtocolSwitched",
    "QuitBox",
    "RemoteAmpError",
    "SimpleStringLocator",
    "StartTLS",
    "String",
    "TooLong",
    "UNHANDLED_ERROR_CODE",
    "UNKNOWN_ERROR_CODE",
    "UnhandledCommand",
    "Unicode",
    "UnknownRemoteError",
    "ampBoxReceived",
    "arguments",
    "callRemote",
    "callRemoteString",
    "connectionLost",
    "makeConnection",
    "sendBox",
    "errors",
    "fatalErrors",
    "fromBox",
    "fromString",
    "fromStringProto",
    "locateResponder",
    "lookupFunction",
    "parse",
    "parseString",
    "requiresAnswer",
    "response",
    "reverseErrors",
    "startReceivingBoxes",
    "stopReceivingBoxes",
    "toBox",
    "toString",
    "toStringProto",
    "utc",
    // twisted.internet
    "abortConnection",
    "connectProtocol",
    "connectTCP",
    "connectionMade",
    "listenTCP",
    "loseConnection",
    // txampext
    "CommandTestMixin",
    "ComposedLocator",
    "ConstrainedArgument",
    "EXPOSED_BOX_SENDER",
    "EXPOSED_PROTOCOL",
    "EXPOSED_RESPONDER_LOCATOR",
    "ExposingArgument",
    "InSet",
    "MultiplexedTransport",
    "MultiplexingCommandLocator",
    "NestedAMPBox",
    "ProxyingAMPLocator",
    "ProxyingFactory",
    "ProxyingProtocol",
    "ResponderTestMixin",
    "_composer",
    "addFactory",
    "asAMP",
    "inSet",
    "notInSet",
    "removeFactory",
];

/// Names without a counterpart, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("ANSWER", "keys of boxes are written and read by the library"),
    ("ASK", "keys of boxes are written and read by the library"),
    ("COMMAND", "keys of boxes are written and read by the library"),
    ("ERROR", "keys of boxes are written and read by the library"),
    ("ERROR_CODE", "keys of boxes are written and read by the library"),
    ("ERROR_DESCRIPTION", "keys of boxes are written and read by the library"),
    ("BadLocalReturn", "the compiler knows what a responder returns"),
    ("Descriptor", "descriptors are attached by extensions; there is no value of that type yet"),
    ("IncompatibleVersions", "Twisted does not use it either"),
    ("InvalidSignature", "the compiler knows the arguments of a command"),
    ("OnlyOneTLS", "StartTLS is a matter of extensions; it is not in the library yet"),
    ("PYTHON_KEYWORDS", "the generated Python module maps them"),
    ("ProtocolSwitched", "a call on a switched connection fails with the reason of its end"),
    ("utc", "a `DateTime` has an offset"),
];

/// A module of a crate: its file, the folder of its own modules, and whether its items can be named from outside.
struct Module {
    file: PathBuf,
    folder: PathBuf,
    is_public: bool,
}

/// The modules of a crate, from its root on. Those that are `exported` from elsewhere are public, too.
fn modules(root: &Path, exported: &BTreeSet<String>) -> Vec<(Module, String)> {
    let mut found = Vec::new();
    let mut next = vec![Module { file: root.join("lib.rs"), folder: root.to_owned(), is_public: true }];
    while let Some(module) = next.pop() {
        let text = fs::read_to_string(&module.file).expect("it can be read");
        for line in text.lines() {
            let Some((visibility, name)) = line.strip_suffix(';').and_then(|line| line.split_once("mod ")) else {
                continue;
            };
            let (file, folder) = (module.folder.join(format!("{name}.rs")), module.folder.join(name));
            let file = if file.exists() { file } else { folder.join("mod.rs") };
            // Expansions name what is in `__private`, people do not.
            let is_reached = module.is_public || exported.contains(name);
            let is_public = is_reached && visibility == "pub " && name != "__private";
            if ["", "pub ", "pub(crate) ", "pub(super) "].contains(&visibility) && name != "tests" {
                next.push(Module { file, folder, is_public });
            }
        }
        found.push((module, text));
    }
    found
}

/// The words of every `pub use` in a public module: what these export from private ones, among others.
fn exported(modules: &[(Module, String)]) -> BTreeSet<String> {
    let public = modules.iter().filter(|(module, _)| module.is_public);
    let uses = public.flat_map(|(_, text)| text.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next()));
    uses.flat_map(|names| names.split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
        .map(str::to_owned)
        .collect()
}

/// The first name of some text.
fn name_of(text: &str) -> &str {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default()
}

/// The name of the item that the line declares, if it is public in its module.
fn public_item(line: &str) -> Option<&str> {
    let kinds = ["pub trait ", "pub struct ", "pub enum ", "pub fn ", "pub async fn ", "pub const "];
    kinds.iter().find_map(|kind| line.strip_prefix(kind)).map(name_of)
}

/// The type whose inherent `impl` begins with the line.
fn inherent(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl").filter(|rest| !rest.contains(" for "))?;
    let mut depth = 0;
    let begin = rest.find(|letter| {
        depth += i32::from(letter == '<') - i32::from(letter == '>');
        depth == 0 && letter != '>' && letter != ' '
    })?;
    Some(name_of(&rest[begin..]))
}

/// Whether the line declares a member that can be named from outside, of the item that begins with `owner`.
fn is_public_member(line: &str, owner: &str, is_reached: &dyn Fn(&str) -> bool) -> bool {
    let is_in = |kind| owner.strip_prefix(kind).is_some_and(|rest| is_reached(name_of(rest)));
    let of_public = is_in("pub struct ") || inherent(owner).is_some_and(is_reached);
    is_in("pub trait ") || is_in("pub enum ") || (of_public && line.trim_start().starts_with("pub "))
}

/// Adds the names by which the public items of a module are found: their own, and the quoted ones in their `#[doc(alias(..))]`.
fn collect_from(text: &str, is_reached: &dyn Fn(&str) -> bool, names: &mut BTreeSet<String>) {
    let (mut aliases, mut owner) = (Vec::new(), "");
    for line in text.lines() {
        let code = line.trim_start();
        if code.starts_with("#[doc(alias(") {
            aliases.extend(code.split('"').skip(1).step_by(2));
        }
        if code.is_empty() || code.starts_with("#[") || code.starts_with("//") {
            continue;
        }
        let aliases = std::mem::take(&mut aliases).into_iter();
        if line.starts_with(char::is_whitespace) {
            if is_public_member(line, owner, is_reached) {
                // The search finds a variant by its name.
                let variant = owner.starts_with("pub enum ").then(|| name_of(code)).filter(|name| !name.is_empty());
                names.extend(aliases.chain(variant).map(str::to_owned));
            }
            continue;
        }
        owner = line;
        if let Some(item) = public_item(line).filter(|item| is_reached(item)) {
            names.extend(aliases.chain([item]).map(str::to_owned));
        }
    }
}

/// The same, of all modules of a crate.
fn collect(root: &Path, names: &mut BTreeSet<String>) {
    let named = exported(&modules(root, &BTreeSet::new()));
    let modules = modules(root, &named);
    let exported = exported(&modules);
    for (module, text) in &modules {
        let own: BTreeSet<_> = text.lines().filter_map(public_item).filter(|_| module.is_public).collect();
        collect_from(text, &|item| exported.contains(item) || own.contains(item), names);
    }
}

#[test]
fn what_has_a_counterpart_in_twisted_or_txampext_is_found_by_its_name_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for source in ["amp-core/src", "amp-multiplex/src"] {
        collect(&root.join(source), &mut found);
    }
    let has_none = |name: &str| WITHOUT.iter().any(|(without, _)| *without == name);
    let missing: Vec<_> = NAMES.iter().filter(|name| !found.contains(**name) && !has_none(name)).collect();
    assert!(missing.is_empty(), "no public item and no alias of one: {missing:?}");
    let wrong: Vec<_> = WITHOUT.iter().filter(|(name, _)| found.contains(*name) || !NAMES.contains(name)).collect();
    assert!(wrong.is_empty(), "they have a counterpart, or are no names: {wrong:?}");
    // Public within their crates only.
    for private in ["Caller", "Dispatcher", "Walk"] {
        assert!(!found.contains(private), "{private} counts as public");
    }
    assert!(["Connection", "ServerBuilder", "Stream", "Upgrade"].iter().all(|public| found.contains(*public)));
}

#[test]
fn an_alias_of_what_cannot_be_named_from_outside_does_not_count() {
    let text = r#"
#[doc(alias("item"))]
pub struct Known {
    #[doc(alias("field"))]
    pub field: u8,
    #[doc(alias("no_field"))]
    hidden: u8,
}

impl<T: Into<Known>> Known<T> {
    #[doc(alias("method"))]
    #[must_use]
    pub fn method(&self) {
    }

    #[doc(alias("no_method"))]
    pub(crate) fn hidden(&self) {}

    #[doc(alias("no_method_either"))]
    fn private(&self) {}
}

pub enum Choice {
    #[doc(alias("variant"))]
    One,
}

pub trait Able {
    #[doc(alias("required"))]
    fn able(&self);
}

trait Own {
    #[doc(alias("no_required"))]
    fn own(&self);
}

#[doc(alias("no_item"))]
pub struct Hidden {
    #[doc(alias("no_field_of_hidden"))]
    pub field: u8,
}

impl Hidden {
    #[doc(alias("no_method_of_hidden"))]
    pub fn method(&self) {}
}
"#;
    let reached = ["Known", "Choice", "Able"];
    let mut found = BTreeSet::new();
    collect_from(text, &|item| reached.contains(&item), &mut found);
    let expected = ["Able", "Choice", "Known", "One", "field", "item", "method", "required", "variant"];
    assert_eq!(found, expected.map(str::to_owned).into());
}

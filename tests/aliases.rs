//! Users of Twisted or txampext find items by the names that they know: each is the name of a public item or an alias of one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Names that have a counterpart here. `Decimal`, `DateTime`, `Path` and `Descriptor` have none yet.
const NAMES: &[&str] = &[
    // twisted.protocols.amp
    "AMP",
    "AmpBox",
    "AmpList",
    "BinaryBoxProtocol",
    "Boolean",
    "Box",
    "BoxDispatcher",
    "Command",
    "CommandLocator",
    "Float",
    "IBoxReceiver",
    "IBoxSender",
    "IResponderLocator",
    "Integer",
    "ListOf",
    "ProtocolSwitchCommand",
    "QuitBox",
    "RemoteAmpError",
    "SimpleStringLocator",
    "StartTLS",
    "UnhandledCommand",
    "Unicode",
    "UnknownRemoteError",
    "ampBoxReceived",
    "callRemote",
    "fatalErrors",
    "locateResponder",
    "requiresAnswer",
    // txampext
    "ComposedLocator",
    "ConstrainedArgument",
    "EXPOSED_BOX_SENDER",
    "EXPOSED_PROTOCOL",
    "EXPOSED_RESPONDER_LOCATOR",
    "InSet",
    "MultiplexedTransport",
    "MultiplexingCommandLocator",
    "NestedAMPBox",
    "ProxyingAMPLocator",
    "ProxyingFactory",
    "ProxyingProtocol",
    "addFactory",
    "asAMP",
    "inSet",
    "notInSet",
    "removeFactory",
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

/// The name of the item that the line declares, if it is public; `""` for a member of a trait, a type or an enum.
fn public_item(line: &str) -> Option<&str> {
    if line.starts_with(char::is_whitespace) {
        return (!line.trim_start().starts_with("pub(")).then_some("");
    }
    let kinds = ["pub trait ", "pub struct ", "pub enum ", "pub fn ", "pub const "];
    let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

/// The names by which the public items of a crate are found: their own, and the quoted ones in their `#[doc(alias(..))]`.
fn collect(root: &Path, names: &mut BTreeSet<String>) {
    let named = exported(&modules(root, &BTreeSet::new()));
    let modules = modules(root, &named);
    let exported = exported(&modules);
    for (module, text) in &modules {
        let mut aliases = Vec::new();
        for line in text.lines() {
            let code = line.trim_start();
            if code.starts_with("#[doc(alias(") {
                aliases.extend(code.split('"').skip(1).step_by(2));
            }
            if code.is_empty() || code.starts_with("#[") || code.starts_with("//") {
                continue;
            }
            let aliases = std::mem::take(&mut aliases);
            let Some(item) = public_item(line) else { continue };
            if item.is_empty() || module.is_public || exported.contains(item) {
                names.extend(aliases.into_iter().chain([item]).map(str::to_owned));
            }
        }
    }
}

#[test]
fn what_has_a_counterpart_in_twisted_or_txampext_is_found_by_its_name_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for source in ["amp-core/src", "amp-multiplex/src"] {
        collect(&root.join(source), &mut found);
    }
    let missing: Vec<_> = NAMES.iter().filter(|name| !found.contains(**name)).collect();
    assert!(missing.is_empty(), "no public item and no alias of one: {missing:?}");
    // Public within their crates only.
    for private in ["Caller", "Dispatcher", "Walk"] {
        assert!(!found.contains(private), "{private} counts as public");
    }
    assert!(["Connection", "ServerBuilder", "Stream", "Upgrade"].iter().all(|public| found.contains(*public)));
}

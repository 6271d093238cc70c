//! Who knows Twisted or txampext finds what is meant by the name that it has there: each is the name of a public item or an alias of one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What has a counterpart here. `Decimal`, `DateTime`, `Path` and `Descriptor` have none yet.
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

/// The quoted names in the file's `#[doc(alias(..))]`, and those of its public items.
fn collect(file: &Path, names: &mut BTreeSet<String>) {
    for line in fs::read_to_string(file).expect("it can be read").lines().map(str::trim) {
        if line.starts_with("#[doc(alias(") {
            names.extend(line.split('"').skip(1).step_by(2).map(str::to_owned));
        }
        for kind in ["pub trait ", "pub struct ", "pub enum "] {
            let name = line.strip_prefix(kind).and_then(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
            names.extend(name.map(str::to_owned));
        }
    }
}

fn walk(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            collect(&path, names);
        }
    }
}

#[test]
fn what_has_a_counterpart_in_twisted_or_txampext_is_found_by_its_name_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for source in ["amp-core/src", "amp-multiplex/src"] {
        walk(&root.join(source), &mut found);
    }
    let missing: Vec<_> = NAMES.iter().filter(|name| !found.contains(**name)).collect();
    assert!(missing.is_empty(), "no item and no alias: {missing:?}");
}

//! A schema of the shape of MAAS's: compressed JSON and lists, addresses and networks, choices, URLs, shared arguments, codes in camel case. No
//! type here has a hand-written codec. The twins in Python are in `python/machines.py`, with argument types of their own.

use std::collections::BTreeMap;
use std::net::IpAddr;

use amp::value::{AsciiJson, DateTime, Decimal, Octets, Zlib};
use amp::{Arguments, Command, ErrorCodes, Value};
use ipnet::IpNet;
use serde_json::Value as AnyJson;
use url::Url;

mod boxes;

/// Anything of JSON, in ASCII, compressed.
type Structure = Zlib<AsciiJson<AnyJson>>;

#[derive(Value, Clone, Copy, Debug, PartialEq)]
#[amp(rename_all = "lowercase")]
enum Purpose {
    Install,
    Commissioning,
}

#[derive(Value, Clone, Copy, Debug, PartialEq)]
#[amp(rename_all = "lowercase")]
enum PowerState {
    On,
    Unknown,
}

#[derive(Value, Clone, Copy, Debug, PartialEq)]
#[amp(rename_all = "lowercase")]
enum ChassisType {
    VMware,
}

#[derive(Command, Debug, PartialEq)]
#[amp(response = Registered, errors = RegisterError)]
struct RegisterRack {
    system_id: Option<String>,
    hostname: String,
    interfaces: Structure,
    url: Option<Url>,
    #[amp(text)]
    version: Option<f32>,
}

#[derive(Arguments, Debug, PartialEq)]
struct Registered {
    system_id: String,
    uuid: Option<String>,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
#[amp(rename_all = "PascalCase")]
enum RegisterError {
    #[error("{0}")]
    CannotRegister(String),
}

#[derive(Arguments, Debug, PartialEq)]
struct Image {
    architecture: String,
    release: String,
    purpose: Purpose,
    size: Option<u64>,
}

#[derive(Command, Debug, PartialEq)]
struct ReportImages {
    uuid: String,
    images: Zlib<Vec<Image>>,
}

#[derive(Command, Debug, PartialEq)]
#[amp(response = BootConfig, errors = BootError)]
struct GetBootConfig {
    system_id: String,
    local_ip: Octets<IpAddr>,
    remote_ip: Octets<IpAddr>,
    mac: Option<String>,
}

#[derive(Arguments, Debug, PartialEq)]
struct BootConfig {
    kernel: String,
    purpose: Purpose,
    log_host: Option<Octets<IpAddr>>,
    preseed_url: Url,
    boot_dhcp: bool,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
#[amp(rename_all = "PascalCase")]
enum BootError {
    #[error("")]
    NoSuchNode,
}

#[derive(Arguments, Debug, PartialEq)]
struct Peer {
    name: String,
    address: Octets<IpAddr>,
}

#[derive(Arguments, Debug, PartialEq)]
struct Host {
    host: String,
    mac: String,
    ip: String,
}

#[derive(Arguments, Debug, PartialEq)]
struct Interface {
    name: String,
}

/// What both commands for DHCP have.
#[derive(Arguments, Debug, PartialEq)]
struct Dhcp {
    omapi_key: String,
    failover_peers: Zlib<Vec<Peer>>,
    shared_networks: Structure,
    hosts: Zlib<Vec<Host>>,
    interfaces: Vec<Interface>,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
#[amp(rename_all = "PascalCase")]
enum DhcpError {
    #[error("{0}")]
    #[amp(code = "CannotConfigureDHCP")]
    CannotConfigure(String),
}

#[derive(Command, Debug, PartialEq)]
#[amp(name = "ConfigureDHCPv4", errors = DhcpError)]
struct ConfigureDhcpV4 {
    #[amp(flatten)]
    dhcp: Dhcp,
}

#[derive(Command, Debug, PartialEq)]
#[amp(name = "ConfigureDHCPv6", errors = DhcpError)]
struct ConfigureDhcpV6 {
    #[amp(flatten)]
    dhcp: Dhcp,
    prefixes: Vec<IpNet>,
}

/// What the three commands for power have.
#[derive(Arguments, Debug, PartialEq)]
struct Power {
    system_id: String,
    hostname: String,
    power_type: String,
    context: Structure,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
#[amp(rename_all = "PascalCase")]
enum PowerError {
    #[error("{0}")]
    UnknownPowerType(String),
    #[error("it does not answer")]
    PowerActionFail,
    #[error("wait")]
    PowerActionAlreadyInProgress,
}

#[derive(Command, Debug, PartialEq)]
#[amp(errors = PowerError)]
struct PowerOn {
    #[amp(flatten)]
    power: Power,
}

#[derive(Command, Debug, PartialEq)]
#[amp(errors = PowerError)]
struct PowerOff {
    #[amp(flatten)]
    power: Power,
}

#[derive(Command, Debug, PartialEq)]
#[amp(response = PowerReport, errors = PowerError)]
struct PowerQuery {
    #[amp(flatten)]
    power: Power,
}

#[derive(Arguments, Debug, PartialEq)]
struct PowerReport {
    state: PowerState,
    error_msg: Option<String>,
}

#[derive(Command, Debug, PartialEq)]
struct AddChassis {
    user: String,
    #[amp(name = "chassis-type")]
    chassis_type: ChassisType,
    networks: Vec<IpNet>,
    accept_all: bool,
    port: Option<u16>,
    labels: BTreeMap<String, String>,
}

#[derive(Command, Debug, PartialEq)]
struct SendEvent {
    system_id: String,
    type_name: String,
    timestamp: DateTime,
    elapsed: Option<Decimal>,
}

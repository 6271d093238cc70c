//! The boxes of both languages, in both roles.

use std::path::Path;

use amp::locator::Locator;
use amp::wire::{BoxDecoder, BoxLimits};
use amp::{CallError, Connection, Reply, Server, Settings, responder};
use serde_json::json;

use super::*;
use crate::harness::{Recorder, Twisted, soon};

fn structure(json: AnyJson) -> Structure {
    Zlib(AsciiJson(json))
}

fn ip(text: &str) -> Octets<IpAddr> {
    Octets(text.parse().unwrap())
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn register(is_known: bool) -> RegisterRack {
    if !is_known {
        let (system_id, version) = (Some("4y3h7n".into()), Some(3.5));
        return RegisterRack {
            system_id,
            hostname: "unknown".into(),
            interfaces: structure(json!({})),
            url: None,
            version,
        };
    }
    let interfaces = json!({ "eth0": { "enabled": true, "links": [{ "mtu": 1500, "note": "caf\u{e9} \u{2603}" }] } });
    RegisterRack {
        system_id: None,
        hostname: "rack".into(),
        interfaces: structure(interfaces),
        url: Some(Url::parse("http://region.example.com:5240/MAAS").unwrap()),
        version: None,
    }
}

fn images() -> ReportImages {
    let image =
        |release: &str, purpose, size| Image { architecture: "amd64".into(), release: release.into(), purpose, size };
    let images = vec![
        image("focal", Purpose::Install, None),
        image("jammy", Purpose::Commissioning, Some(10)),
        image("noble", Purpose::Install, Some(20)),
    ];
    ReportImages { uuid: "f0".into(), images: images.into() }
}

fn boot(system_id: &str) -> GetBootConfig {
    match system_id {
        "gone" => GetBootConfig { system_id: "gone".into(), local_ip: ip("::"), remote_ip: ip("0.0.0.0"), mac: None },
        _ => GetBootConfig {
            system_id: system_id.into(),
            local_ip: ip("10.0.0.1"),
            remote_ip: ip("2001:db8::1"),
            mac: Some("00:16:3e:00:00:01".into()),
        },
    }
}

fn dhcp() -> Dhcp {
    let host = |number: u8| Host {
        host: format!("host-{number}"),
        mac: format!("00:16:3e:00:00:{number:02x}"),
        ip: format!("10.0.1.{number}"),
    };
    Dhcp {
        omapi_key: "c2VjcmV0".into(),
        failover_peers: Zlib(vec![
            Peer { name: "rack-1".into(), address: ip("10.0.0.1") },
            Peer { name: "rack-2".into(), address: ip("fe80::2") },
        ]),
        shared_networks: structure(json!([{ "name": "alpha", "subnets": [{ "mask": "255.255.255.0", "pools": [] }] }])),
        hosts: Zlib((0..100).map(host).collect()),
        interfaces: ["eth0", "br\u{fc}cke"].map(|name| Interface { name: name.into() }).into(),
    }
}

fn power(power_type: &str, context: AnyJson) -> Power {
    Power {
        system_id: "4y3h7n".into(),
        hostname: "quick-colt".into(),
        power_type: power_type.into(),
        context: structure(context),
    }
}

fn ipmi() -> Power {
    power("ipmi", json!({ "power_address": "10.0.0.9", "ports": [623, 624] }))
}

fn chassis() -> AddChassis {
    AddChassis {
        user: "admin".into(),
        chassis_type: ChassisType::VMware,
        networks: vec![net("192.168.0.0/24")],
        accept_all: false,
        port: None,
        labels: [("a", "1"), ("b", "")].map(|(key, value)| (key.into(), value.into())).into(),
    }
}

fn event() -> SendEvent {
    SendEvent {
        system_id: "4y3h7n".into(),
        type_name: "NODE_PXE_REQUEST".into(),
        timestamp: "2026-12-01T07:30:15.123456-00:00".parse().unwrap(),
        elapsed: None,
    }
}

/// Answers the samples as Python does, and nothing else.
struct Region;

#[responder]
impl Region {
    async fn register_rack(&self, command: RegisterRack) -> Reply<RegisterRack> {
        if command == register(false) {
            let said = format!("rack '{}' is not known", command.hostname);
            return Err(RegisterError::CannotRegister(said).into());
        }
        assert_eq!(command, register(true));
        Ok(Registered { system_id: "4y3h7n".into(), uuid: None })
    }

    async fn report_images(&self, command: ReportImages) -> Reply<ReportImages> {
        assert!(command == images() || command == ReportImages { uuid: String::new(), images: Zlib(vec![]) });
        Ok(())
    }

    async fn get_boot_config(&self, command: GetBootConfig) -> Reply<GetBootConfig> {
        if command == boot("gone") {
            return Err(BootError::NoSuchNode.into());
        }
        assert_eq!(command, boot("4y3h7n"));
        Ok(BootConfig {
            kernel: "ga-22.04".into(),
            purpose: Purpose::Commissioning,
            log_host: Some(ip("10.0.0.2")),
            preseed_url: Url::parse("http://10.0.0.1/preseed?op=get&x=%20").unwrap(),
            boot_dhcp: true,
        })
    }

    async fn configure_v4(&self, command: ConfigureDhcpV4) -> Reply<ConfigureDhcpV4> {
        assert_eq!(command.dhcp, dhcp());
        Ok(())
    }

    async fn configure_v6(&self, command: ConfigureDhcpV6) -> Reply<ConfigureDhcpV6> {
        assert_eq!((command.dhcp, command.prefixes), (dhcp(), vec![net("2001:db8::/32"), net("10.0.0.0/8")]));
        Err(DhcpError::CannotConfigure("no \u{2603}".into()).into())
    }

    async fn power_on(&self, command: PowerOn) -> Reply<PowerOn> {
        assert_eq!(command.power, ipmi());
        Ok(())
    }

    async fn power_off(&self, command: PowerOff) -> Reply<PowerOff> {
        Err(match command.power.power_type.as_str() {
            "ipmi" if command.power == ipmi() => PowerError::PowerActionAlreadyInProgress,
            "ipmi" => PowerError::PowerActionFail,
            other => PowerError::UnknownPowerType(other.into()),
        }
        .into())
    }

    async fn power_query(&self, command: PowerQuery) -> Reply<PowerQuery> {
        if command.power == power("ipmi", AnyJson::Null) {
            return Ok(PowerReport { state: PowerState::On, error_msg: None });
        }
        assert_eq!(command.power, ipmi());
        Ok(PowerReport { state: PowerState::Unknown, error_msg: Some("timeout".into()) })
    }

    async fn add_chassis(&self, command: AddChassis) -> Reply<AddChassis> {
        assert_eq!(command, chassis());
        Ok(())
    }

    async fn send_event(&self, command: SendEvent) -> Reply<SendEvent> {
        assert_eq!(command, event());
        Ok(())
    }
}

/// Calls every sample in the order of Python's, and checks the answers.
async fn rust_plays(peer: &Connection) -> usize {
    let declared = |error: CallError<PowerError>| match error {
        CallError::Declared(error) => error,
        other => panic!("{other:?}"),
    };
    let registered = Registered { system_id: "4y3h7n".into(), uuid: None };
    assert_eq!(soon(peer.call(register(true))).await.unwrap(), registered);
    let unknown = soon(peer.call(register(false))).await.unwrap_err();
    let said = RegisterError::CannotRegister("rack 'unknown' is not known".into());
    assert_eq!(unknown.declared(), Some(&said));
    soon(peer.call(images())).await.unwrap();
    soon(peer.call(ReportImages { uuid: String::new(), images: Zlib(vec![]) })).await.unwrap();
    let config = soon(peer.call(boot("4y3h7n"))).await.unwrap();
    assert_eq!((config.purpose, config.log_host), (Purpose::Commissioning, Some(ip("10.0.0.2"))));
    assert_eq!(config.preseed_url.as_str(), "http://10.0.0.1/preseed?op=get&x=%20");
    assert_eq!(soon(peer.call(boot("gone"))).await.unwrap_err().declared(), Some(&BootError::NoSuchNode));
    soon(peer.call(ConfigureDhcpV4 { dhcp: dhcp() })).await.unwrap();
    let prefixes = vec![net("2001:db8::/32"), net("10.0.0.0/8")];
    let refused = soon(peer.call(ConfigureDhcpV6 { dhcp: dhcp(), prefixes })).await.unwrap_err();
    assert_eq!(refused.declared(), Some(&DhcpError::CannotConfigure("no \u{2603}".into())));
    soon(peer.call(PowerOn { power: ipmi() })).await.unwrap();
    let abacus = Power { power_type: "abacus".into(), ..ipmi() };
    for (power, expected) in [
        (abacus, PowerError::UnknownPowerType("abacus".into())),
        (power("ipmi", json!([])), PowerError::PowerActionFail),
        (ipmi(), PowerError::PowerActionAlreadyInProgress),
    ] {
        assert_eq!(declared(soon(peer.call(PowerOff { power })).await.unwrap_err()), expected);
    }
    let report = soon(peer.call(PowerQuery { power: ipmi() })).await.unwrap();
    assert_eq!(report, PowerReport { state: PowerState::Unknown, error_msg: Some("timeout".into()) });
    let report = soon(peer.call(PowerQuery { power: power("ipmi", AnyJson::Null) })).await.unwrap();
    assert_eq!(report, PowerReport { state: PowerState::On, error_msg: None });
    soon(peer.call(chassis())).await.unwrap();
    soon(peer.call(event())).await.unwrap();
    16
}

/// The pairs of each box in their order. Of a compressed value what it was compressed from, because compressors may differ and still be right:
/// `zlib.compress` and the one in Rust. With the feature `zlib-c` they are the same, and so are all bytes.
fn plain(bytes: &[u8]) -> Vec<Vec<(String, String)>> {
    let mut decoder = BoxDecoder::new(BoxLimits::default());
    decoder.buffer().extend_from_slice(bytes);
    let mut boxes = Vec::new();
    while let Some(next) = decoder.next_box().unwrap() {
        let shown = |(key, value): (&[u8], &[u8])| {
            let mut inflated = Vec::new();
            let is_compressed = cfg!(not(feature = "zlib-c"))
                && value.first() == Some(&0x78)
                && std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(value), &mut inflated).is_ok();
            let value = if is_compressed { [b"zlib:", &inflated[..]].concat() } else { value.to_vec() };
            (key.escape_ascii().to_string(), value.escape_ascii().to_string())
        };
        boxes.push(next.pairs().map(shown).collect());
    }
    boxes
}

#[tokio::test]
async fn commands_of_the_shape_of_maas_have_the_same_boxes_in_both_languages() {
    let module = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/python/machines.py"));
    let Some((mut twisted, twisted_server)) = Twisted::listen().await else { return };
    twisted.learn(module).await;
    let settings = || Settings::new().announce(false);
    let locator = std::sync::Arc::new(Region.into_locator());
    assert_eq!(locator.commands().len(), 10);
    let rust = Server::builder().settings(settings()).bind_tcp("127.0.0.1:0", move |_| std::sync::Arc::clone(&locator));
    let rust = rust.await.unwrap();
    let mut transcripts = Vec::new();
    for server in [twisted_server, rust.local_addr().unwrap()] {
        let recorder = Recorder::before(server).await;
        let mut player = Twisted::connect(recorder.address).await.unwrap();
        player.learn(module).await;
        assert_eq!(player.say("learned.play(call)").await, "16");
        transcripts.push(recorder.said());
        let recorder = Recorder::before(server).await;
        let caller = Connection::builder().settings(settings()).connect_tcp(recorder.address).await.unwrap();
        assert_eq!(rust_plays(&caller).await, 16);
        transcripts.push(recorder.said());
    }
    let (asked, answered) = &transcripts[0];
    assert_eq!((plain(asked).len(), plain(answered).len()), (16, 16));
    for (number, (also_asked, also_answered)) in transcripts.iter().enumerate() {
        for (said, also_said) in [(asked, also_asked), (answered, also_answered)] {
            for (one, other) in plain(said).iter().zip(plain(also_said)) {
                assert_eq!(*one, other, "transcript {number}");
            }
            assert_eq!(plain(said).len(), plain(also_said).len(), "transcript {number}");
        }
    }
    // That they agree does not yet say on what.
    let all = format!("{:?}{:?}", plain(asked), plain(answered));
    let compressed = if cfg!(feature = "zlib-c") { "x\\\\x9c" } else { "zlib:{\\\\\\\"eth0\\\\\\\"" };
    for part in [compressed, "2001:db8::/32", "UnknownPowerType"] {
        assert!(all.contains(part), "{part}: {all}");
    }
}

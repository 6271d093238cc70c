//! Twisted's own types, spelling by spelling and byte for byte: `Decimal`, `DateTime` and `Path`.

use std::path::PathBuf;
use std::sync::Arc;

use amp::locator::Locator;
use amp::value::{DateTime, Decimal, RawValue, Value};
use amp::{Arguments, Command, Connection, Server, Settings};

use crate::harness::{Recorder, Twisted, on, soon};
use crate::numbers::{accepted_here, python_bytes, written};

/// A command that answers with its list, and the same command seen as texts.
macro_rules! lists {
    ($($command:ident $text:ident $response:ident $type:ty, $name:literal;)*) => {$(
        #[derive(Command, Debug)]
        #[amp(name = $name, response = $response)]
        struct $command {
            values: Vec<$type>,
        }

        #[derive(Arguments, Debug)]
        struct $response {
            values: Vec<$type>,
        }

        #[derive(Command, Debug)]
        #[amp(name = $name, response = Texts)]
        struct $text {
            values: Vec<String>,
        }
    )*};
}

lists! {
    Decimals DecimalTexts DecimalsGiven Decimal, "Decimals";
    Times TimeTexts TimesGiven DateTime, "Times";
    Paths PathTexts PathsGiven PathBuf, "Paths";
}

#[derive(Arguments, Debug, PartialEq)]
struct Texts {
    values: Vec<String>,
}

/// The vectors of the protocol's table, and more of where the form changes.
#[rustfmt::skip]
const DECIMALS: &[&str] = &[
    "1", "-1", "1.0", "1E+2", "1.5E+2", "0.1", "0.000001", "1E-7", "-0", "0E+3", "Infinity", "-Infinity", "NaN", "-NaN", "sNaN", "-sNaN",
    "NaN123", "1E+999999", "100", "1.000", "0.00", "0.000000", "0E-7", "1.2E+2", "-12.50", "1.23E-9", "0.00000123", "-sNaN7",
    "123456789012345678901234567890.123456789", "9.99E+999999999999999999", "1E-1999999999999999997",
];

const TIMES: &[&str] = &[
    "2012-01-23T12:34:56.054321-01:23",
    "2012-01-23T12:34:56.000000-00:00",
    "2012-02-29T00:00:00.000001+00:01",
    "0001-01-01T00:00:00.000000-23:59",
    "9999-12-31T23:59:59.999999+23:59",
];

const PATHS: &[&str] = &["/", "/etc/passwd", "/a b/sn\u{2603}w", "/x/.hidden/y.tar.gz"];

fn all<T: Value>(texts: &[&str]) -> Vec<T> {
    texts.iter().map(|text| T::decode(RawValue::new(text.as_bytes())).unwrap()).collect()
}

fn responders() -> impl Locator {
    let decimals = on(async |Decimals { values }| Ok(DecimalsGiven { values }));
    let times = on(async |Times { values }| Ok(TimesGiven { values }));
    let paths = on(async |Paths { values }| Ok(PathsGiven { values }));
    (decimals, times, paths)
}

#[tokio::test]
async fn rules_47_49_51_what_rust_sends_twisted_reads_and_writes_alike() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let values = texts(DECIMALS);
    assert_eq!(soon(connection.call(DecimalTexts { values: values.clone() })).await.unwrap().values, values);
    let given = soon(connection.call(Decimals { values: all(DECIMALS) })).await.unwrap().values;
    assert_eq!(given.iter().map(written).collect::<Vec<_>>(), values);
    let values = texts(TIMES);
    assert_eq!(soon(connection.call(TimeTexts { values: values.clone() })).await.unwrap().values, values);
    let given = soon(connection.call(Times { values: all(TIMES) })).await.unwrap().values;
    assert_eq!(given.iter().map(written).collect::<Vec<_>>(), values);
    let values = texts(PATHS);
    assert_eq!(soon(connection.call(PathTexts { values: values.clone() })).await.unwrap().values, values);
    let given = soon(connection.call(Paths { values: all(PATHS) })).await.unwrap().values;
    assert_eq!(given.iter().map(written).collect::<Vec<_>>(), values);
}

/// The same three calls as Python makes them.
fn twisted_calls() -> [String; 3] {
    let listed = |texts: &[&str], one: &str| {
        let all: Vec<_> = texts.iter().map(|text| format!("{one}({})", python_bytes(text.as_bytes()))).collect();
        all.join(", ")
    };
    [
        format!("call(Decimals, values=[{}])", listed(DECIMALS, "Decimal().fromString")),
        format!("call(Times, values=[{}])", listed(TIMES, "DateTime().fromString")),
        format!("call(Paths, values=[{}])", listed(PATHS, "Path().fromString")),
    ]
}

#[tokio::test]
async fn rules_47_49_51_what_twisted_sends_comes_back_from_rust_as_it_was() {
    let Some(mut served) = Twisted::calling(Arc::new(responders())).await else { return };
    let [decimals, times, paths] = twisted_calls();
    let rows = [(decimals, "str", DECIMALS), (times, "DateTime().toString", TIMES), (paths, "Path().toString", PATHS)];
    for (call, show, texts) in rows {
        let texts: Vec<_> = texts.iter().map(|text| python_bytes(text.as_bytes())).collect();
        let bytes = format!(
            "{call}.addCallback(lambda it: [b if isinstance(b, bytes) else b.encode() for b in map({show}, it['values'])]"
        );
        let same = served.twisted.say(&format!("{bytes} == [{}])", texts.join(", "))).await;
        assert_eq!(same, "True", "{call}");
    }
}

#[tokio::test]
async fn rules_47_49_51_both_callers_and_both_servers_put_the_same_bytes_on_the_wire() {
    let Some((_twisted, twisted_server)) = Twisted::listen().await else { return };
    let settings = || Settings::new().announce(false);
    let located = Arc::new(responders());
    let server = Server::builder().settings(settings());
    let rust = server.bind_tcp("127.0.0.1:0", move |_| Arc::clone(&located)).await.unwrap();
    let mut transcripts = Vec::new();
    for server in [twisted_server, rust.local_addr().unwrap()] {
        let recorder = Recorder::before(server).await;
        let mut twisted = Twisted::connect(recorder.address).await.unwrap();
        for call in twisted_calls() {
            assert!(twisted.say(&call).await.starts_with("{'values': "), "{call}");
        }
        transcripts.push(recorder.transcript());
        let recorder = Recorder::before(server).await;
        let peer = Connection::builder().settings(settings()).connect_tcp(recorder.address).await.unwrap();
        soon(peer.call(Decimals { values: all(DECIMALS) })).await.unwrap();
        soon(peer.call(Times { values: all(TIMES) })).await.unwrap();
        soon(peer.call(Paths { values: all(PATHS) })).await.unwrap();
        transcripts.push(recorder.transcript());
    }
    assert_eq!(transcripts[0].0.lines().count(), 3);
    for (number, transcript) in transcripts.iter().enumerate() {
        assert_eq!(transcript, &transcripts[0], "transcript {number}");
    }
}

/// Two thousand spellings, the same at each run; `make` is handed what picks a number below another.
fn random(make: impl Fn(&mut dyn FnMut(usize) -> usize) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut bits = 0x9e37_79b9_7f4a_7c15_usize;
    let mut pick = |below| {
        bits = bits.rotate_left(7).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (bits >> 16) % below
    };
    (0..2000).map(|_| make(&mut pick)).collect()
}

/// What Twisted's argument type makes of each spelling, as `show` of Python shows it; `None` where it refuses.
async fn accepted_by(twisted: &mut Twisted, argument: &str, show: &str, spellings: &[&[u8]]) -> String {
    let listed: Vec<_> = spellings.iter().map(|spelling| python_bytes(spelling)).collect();
    twisted.say(&format!("accepts({argument}, [{}], {show})", listed.join(", "))).await
}

#[tokio::test]
async fn rule_48_decimals_are_read_as_twisted_reads_them() {
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    #[rustfmt::skip]
    let spellings: &[&[u8]] = &[
        b"+1", b"1e2", b"inf", b"infinity", b"nan", b"snan", b"NaN12", b" 1 ", b"1_000", b".5", b"5.", b"+INF", b"-iNfInItY", b"-nan0",
        b"sNaN007", b"1__0", b"_1_", b"1_e_5", b"n_an_1", b"-_1", b"\x1c\x1f1\x0b\x0c\t\r\n", b"00012", b"-00", b"00.10", b"12E+1", b"0e3",
        b"0.0000001", b"100E-5", b"1e-0000000000000000000000000007", b"000.000", b"0.0e1", b"1.5e1", b"1.5e+0", b"0.10e-5", b"0.1e-6",
        b"12.34e5", b"1e999999999999999999", b"0.001e1000000000000000002", b"1E-1999999999999999997", b"0E-1999999999999999997",
        b"1.000E-1999999999999999994", b"123e-1999999999999999997", b"0.00e999999999999999999", b"9.99e999999999999999999",
        b"", b"abc", b" ", b"_", b".", b"-", b"+", b"e5", b"1e", b"1e+", b".e1", b"--1", b"+-1", b"- 1", b"1 2", b"1 _", b"_ 1", b"1.2.3", b"1e5.0",
        b"1e+-5", b"1e 5", b"infin", b"in", b"nan 1", b"nan-1", b"nan1.0", b"snane", b"qnan", b"1\0", b"\x001", b"0x10", b"1,5", b"True",
        b"\xff", b"\xa05", "\u{661}".as_bytes(), "1\u{a0}".as_bytes(), "\u{221e}".as_bytes(), b"1\x852", b"1e1_0", b"1_.5",
        b"1e1000000000000000000", b"10e999999999999999999", b"1e-1999999999999999998", b"0e1000000000000000000", b"0e-1999999999999999998",
        b"0.1e-1999999999999999997", b"10e-1999999999999999998", b"1e9223372036854775807", b"1e9223372036854775808",
        b"1e-9223372036854775808", b"1.1e-9223372036854775808", b"0e9223372036854775808", b"1e99999999999999999999999",
    ];
    let theirs = accepted_by(&mut twisted, "Decimal()", "str", spellings).await;
    assert_eq!(accepted_here::<Decimal>(spellings, written), theirs);
    let random = random(|pick| (0..1 + pick(9)).map(|_| b"0011259..-+eE_ nNaAsS\x1c"[pick(22)]).collect());
    let random: Vec<_> = random.iter().map(Vec::as_slice).collect();
    let theirs = accepted_by(&mut twisted, "Decimal()", "str", &random).await;
    assert_eq!(accepted_here::<Decimal>(&random, written), theirs);
    assert!(theirs.matches("None").count() < 1900, "many are decimals");
}

#[tokio::test]
async fn rules_49_50_times_are_read_as_twisted_reads_them() {
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    #[rustfmt::skip]
    let spellings: &[&[u8]] = &[
        b"2012-01-23T12:34:56.054321-01:23", b"2012/01/23 12.34.56,054321+01x00", b"2012-01-23T12:34:56.054321+00:00",
        b"+012-01-23T12:34:56.054321-00:00", b" 012-01-23T12:34:56.054321-00:00", b"2_12-01-23T12:34:56.054321-00:00",
        b"2012-+1- 3T1 :\n4:5\t.54321 -01:23", b"2012-01-23T12:34:56.-00000--1:-9", b"2012-01-23T12:34:56.054321+00:99",
        b"2012-01-23T12:34:56.054321+25:00", b"2012-01-23T12:34:56.054321+23:99", b"2012-01-23T12:34:56.054321-24:00",
        b"2012-01-23T12:34:56.054321-99:59", b"2000-02-29T12:34:56.054321+00:00", b"0001-01-01T00:00:00.000000+23:59",
        b"9999-12-31T23:59:59.999999-23:59", b"2012\0\x01\x7f01-23T12:34:56.054321-00:00", b"2012\x0001\x7f23T12:34:56.054321-00:00",
        b"", b"2012-01-23T12:34:56.054321-01:2", b"2012-01-23T12:34:56.054321-01:230", b"2012-01-23T12:34:56.054321Z", b"2012-01-23T12:34:56",
        b"2012-01-23T12:34:56.054321Z00:00", b"2012-01-23T12:34:56.054321 00:00", b"2012-01-23T12:34:56.054321x01:00",
        b"    -01-23T12:34:56.054321-00:00", b"2_-_-01-23T12:34:56.054321-00:00", b"2012-1_-23T12:34:56.054321-00:00",
        b"2012-01-23T\x1c5:34:56.054321-00:00", b"2012-01-23T12:34:5\0.054321-00:00", b"2012-01-23T12:34:0x.054321-00:00",
        b"2012-01-23T--:34:56.054321-00:00", b"2012-01-23T12:34:56.054321-+-:00", b"2012-01-23T12:34:56.1e0000-00:00",
        b"2012\xff01-23T12:34:56.054321-00:00", "2012-01-23\u{e9}2:34:56.054321-01:23".as_bytes(),
        b"0000-01-23T12:34:56.054321-00:00", b"-001-01-23T12:34:56.054321-00:00", b"2012-00-23T12:34:56.054321-00:00",
        b"2012-13-23T12:34:56.054321-00:00", b"2012-02-30T12:34:56.054321-00:00", b"2011-02-29T12:34:56.054321-00:00",
        b"1900-02-29T12:34:56.054321-00:00", b"2012-04-31T12:34:56.054321-00:00", b"2012-01-00T12:34:56.054321-00:00",
        b"2012-01-23T24:34:56.054321-00:00", b"2012-01-23T12:60:56.054321-00:00", b"2012-01-23T12:34:60.054321-00:00",
        b"2012-01-23T-1:34:56.054321-00:00", b"2012-01-23T12:34:56.-00001-00:00",
    ];
    let theirs = accepted_by(&mut twisted, "DateTime()", "clocks", spellings).await;
    // Python computes with no offset of 24 hours or more, so both show the fields and the offset.
    let clocks = |time: &DateTime| format!("{} {}", &time.to_string()[..26], time.offset_minutes());
    assert_eq!(accepted_here::<DateTime>(spellings, clocks), theirs);
    let random = random(|pick| {
        let mut text = b"2012-02-29T12:34:56.054321-01:23".to_vec();
        (0..1 + pick(4)).for_each(|_| text[pick(32)] = b"0123456789 _+-"[pick(14)]);
        text
    });
    let random: Vec<_> = random.iter().map(Vec::as_slice).collect();
    let theirs = accepted_by(&mut twisted, "DateTime()", "clocks", &random).await;
    assert_eq!(accepted_here::<DateTime>(&random, clocks), theirs);
    assert!(theirs.matches("None").count() < 1800, "many are times");
}

#[tokio::test]
async fn rule_50_offsets_are_rounded_down_to_minutes_as_twisted_does() {
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    let offsets = [0, 1, 30, 59, 60, 90, -1, -30, -59, -60, -61, -90, 3600, -3600, 20_700, -12_600, 86_399, -86_340];
    let here = offsets.map(|offset| written(&DateTime::new((2012, 1, 23), (12, 34, 56, 54_321), offset).unwrap()));
    let at = "datetime.timezone(datetime.timedelta(seconds=offset))";
    let time = format!("datetime.datetime(2012, 1, 23, 12, 34, 56, 54321, {at})");
    let theirs = twisted.say(&format!("[DateTime().toString({time}).decode() for offset in {offsets:?}]")).await;
    assert_eq!(format!("{here:?}").replace('"', "'"), theirs);
    // What Python rounds to a whole day is read by no Python again.
    let day = twisted.say(&format!("[DateTime().toString({time}).decode() for offset in [-86399]]")).await;
    assert_eq!(day, "['2012-01-23T12:34:56.054321-24:00']");
    assert!(DateTime::new((2012, 1, 23), (12, 34, 56, 54_321), -86_399).is_err());
    let naive = twisted.say("DateTime().toString(datetime.datetime(2012, 1, 23))").await;
    assert!(naive.starts_with("ValueError: amp.DateTime cannot serialize naive"), "{naive}");
}

#[tokio::test]
async fn rule_51_rust_keeps_a_path_as_it_was_written_where_twisted_makes_it_absolute() {
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    let spellings: &[&[u8]] =
        &[b"/etc", b"/x/../etc", b"/a//b/", b"/", b"//a", b"/\xe2\x98\x83", b"/\xff", b"\xc0\x80"];
    let shown = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let theirs = accepted_by(&mut twisted, "Path()", "lambda it: it.path", spellings).await;
    assert_eq!(theirs, "['/etc', '/etc', '/a/b', '/', '//a', '/\u{2603}', None, None]");
    let ours = accepted_here::<PathBuf>(spellings, shown);
    assert_eq!(ours, "['/etc', '/x/../etc', '/a//b/', '/', '//a', '/\u{2603}', None, None]");
    let relative: &[&[u8]] = &[b"", b"a", b"../a"];
    let theirs =
        twisted.say("[Path().fromString(path).path == os.path.abspath(path) for path in [b'', b'a', b'../a']]");
    assert_eq!(theirs.await, "[False, False, False]", "it is text");
    let theirs =
        twisted.say("[Path().fromString(path.encode()).path == os.path.abspath(path) for path in ['', 'a', '../a']]");
    assert_eq!(theirs.await, "[True, True, True]");
    assert_eq!(accepted_here::<PathBuf>(relative, shown), "['', 'a', '../a']");
    let theirs = twisted.say(r"Path().toString(FilePath(b'/\xff'))").await;
    assert!(theirs.starts_with("UnicodeEncodeError"), "{theirs}");
}

use std::process::Command;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// `zlib.compress(b"amp" * 10)` of Python.
const TEN_AMPS: &[u8] = b"\x78\x9c\x4b\xcc\x2d\x48\xc4\x8d\x00\xc0\x12\x0c\x6d";

/// A value with the default limit.
fn zlib<T>(value: T) -> Zlib<T> {
    Zlib(value)
}

fn text(length: usize) -> String {
    let mut number = 12_345_usize;
    let mut next = || {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        number >> 40
    };
    (0..length).map(|_| char::from(b"etaoinshrdlucmf gyp\n"[next() % 20])).collect()
}

#[test]
fn a_value_is_read_from_its_compressed_bytes_however_they_were_compressed() {
    type Amps = Zlib<String>;
    let amps = zlib("amp".repeat(10));
    let stored = [&b"\x78\x01\x01\x1e\0\xe1\xff"[..], amps.as_bytes(), &TEN_AMPS[TEN_AMPS.len() - 4..]].concat();
    assert_eq!(decoded::<Amps>(&stored), Ok(amps.clone()), "not compressed at all");
    for level in 0..=9 {
        use std::io::Write as _;
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(amps.as_bytes()).expect("written");
        assert_eq!(decoded::<Amps>(&encoder.finish().expect("whole")), Ok(amps.clone()), "level {level}");
    }
    assert_eq!(decoded::<Amps>(&encoded(&amps)), Ok(amps));
    assert_eq!(decoded::<Amps>(b"\x78\x9c\x03\0\0\0\0\x01"), Ok(zlib(String::new())));
    assert_eq!(decoded::<Zlib<Vec<i64>>>(&encoded(&zlib(vec![1_i64, 2]))), Ok(zlib(vec![1, 2])));
    assert_eq!(decoded::<Zlib<Zlib<bool>>>(&encoded(&zlib(zlib(true)))), Ok(zlib(zlib(true))));
}

#[test]
fn what_is_not_one_whole_stream_is_refused() {
    let stream = encoded(&zlib(text(5000)));
    for end in 0..stream.len() {
        let cut = decoded::<Zlib<String>>(&stream[..end]);
        assert_eq!(cut, Err(DecodeErrorKind::Truncated), "{end} of {}", stream.len());
    }
    let behind = [&stream[..], b"\0"].concat();
    rejects::<Zlib<String>>("one zlib stream", &[&behind, &[&stream[..], &stream].concat()]);
    let mut wrong_sum = stream.clone();
    *wrong_sum.last_mut().expect("a sum") ^= 1;
    let mut dictionary = stream;
    dictionary[1] = 0xbb;
    let odd: &[&[u8]] = &[
        &wrong_sum,
        &dictionary,
        b"hello, world",
        b"\x78\x9d\x03\0\0\0\0\x01",
        b"\x79\x9c\x03\0\0\0\0\x01",
        b"\x1f\x8b\x08\0\0\0",
    ];
    rejects::<Zlib<String>>("compressed with zlib", odd);
    rejects::<Zlib<String>>("UTF-8 text", &[&encoded(&zlib(vec![0xff_u8]))]);
}

#[test]
fn it_has_as_many_bytes_as_it_may_and_no_more() {
    fn bounded<const MAX: usize>() {
        let (most, more) = (vec![b'x'; MAX], vec![b'x'; MAX + 1]);
        let packed = encoded(&Zlib::<_, MAX>(most.clone()));
        assert_eq!(decoded::<Zlib<Vec<u8>, MAX>>(&packed), Ok(Zlib(most)));
        let said = refused(&Zlib::<_, MAX>(more.clone())).to_string();
        assert_eq!(
            said,
            format!(
                "{} bytes where {MAX} is the declared maximum; raise it at both ends, or use several calls or a stream",
                MAX + 1
            )
        );
        let packed = encoded(&Zlib::<_, { usize::MAX }>(more));
        let refused = decoded::<Zlib<Vec<u8>, MAX>>(&packed).expect_err("too many").to_string();
        assert_eq!(refused, format!("more than {MAX} bytes, the maximum that this end declares"));
    }
    bounded::<0>();
    bounded::<1>();
    bounded::<1023>();
    bounded::<1024>();
    bounded::<1025>();
    bounded::<65_536>();
    // The default.
    assert!(decoded::<Zlib<Vec<u8>>>(&encoded(&zlib(vec![0_u8; 1 << 20]))).is_ok());
    let over = encoded(&Zlib::<_, { usize::MAX }>(vec![0_u8; (1 << 20) + 1]));
    assert!(decoded::<Zlib<Vec<u8>>>(&over).is_err());
}

#[test]
fn constraints_within_are_checked() {
    let mut found = Violations::new();
    let place = Place::WHOLE.key("packed");
    Value::check(&Zlib::<_, 10>(Broken), place, &mut found);
    assert_eq!(found.iter().map(|violation| violation.path.as_str()).collect::<Vec<_>>(), ["packed"]);
}

struct Broken;

impl Value for Broken {
    fn encode(&self, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn decode(_: RawValue<'_>) -> Result<Self, DecodeError> {
        Ok(Self)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        found.add(place, "broken", "always");
    }
}

#[cfg(feature = "tokio")]
#[test]
fn decompressing_is_charged_before_the_memory_is_taken() {
    use crate::value::tests::budget::needed;
    for length in [0, 1, 1024, 1025, 100_000] {
        let packed = encoded(&zlib(vec![b'x'; length]));
        // The bytes, and the value made of them.
        let charged = needed::<Zlib<Vec<u8>>>(&packed);
        assert!((2 * length..4 * length + 3000).contains(&charged), "{length}: {charged}");
    }
    let bomb = encoded(&Zlib::<_, { usize::MAX }>(vec![0_u8; 50 << 20]));
    assert!(bomb.len() < 65_536, "a thousand times as many");
    let charged = needed::<Zlib<Vec<u8>, 10_000>>(&bomb);
    assert!(charged < 11_000, "it stops: {charged}");
}

/// Runs a Python that compresses what it is handed.
fn python(code: &str, input: &[u8]) -> Option<Vec<u8>> {
    use std::io::Write as _;
    let mut child = Command::new("python3")
        .args(["-c", code])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .ok();
    if child.is_none() {
        assert!(std::env::var_os("AMP_REQUIRE_INTEROP").is_none(), "python3 is not there");
        eprintln!("SKIPPED: python3 is not there");
    }
    let mut input_of = child.as_mut()?.stdin.take()?;
    let input = input.to_vec();
    let writer = std::thread::spawn(move || input_of.write_all(&input));
    let output = child?.wait_with_output().expect("Python ends");
    writer.join().expect("no panic").expect("written");
    assert!(output.status.success());
    Some(output.stdout)
}

fn samples() -> Vec<Vec<u8>> {
    let noise = |length: usize| {
        text(length).bytes().enumerate().map(|(at, byte)| byte.wrapping_mul(at.to_le_bytes()[0] | 1)).collect()
    };
    let lengths = [0, 1, 2, 100, 4095, 4096, 4097, 32_768, 65_535, 300_000];
    lengths.into_iter().flat_map(|length| [text(length).into_bytes(), vec![b'x'; length], noise(length)]).collect()
}

#[test]
fn python_reads_what_is_compressed_here_and_what_it_compresses_is_read() {
    const RECOMPRESS: &str =
        "import sys, zlib; sys.stdout.buffer.write(zlib.compress(zlib.decompress(sys.stdin.buffer.read()), 9))";
    for sample in samples() {
        let value = zlib(sample);
        let Some(theirs) = python(RECOMPRESS, &encoded(&value)) else { return };
        assert_eq!(decoded(&theirs), Ok(value));
    }
}

#[cfg(feature = "zlib-c")]
#[test]
fn zlib_in_c_writes_the_bytes_that_python_writes() {
    const COMPRESS: &str = "import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))";
    for sample in samples() {
        let Some(theirs) = python(COMPRESS, &sample) else { return };
        assert!(encoded(&zlib(sample.clone())) == theirs, "{} bytes, the first {:?}", sample.len(), sample.first());
    }
    assert_eq!(encoded(&zlib("amp".repeat(10))), TEN_AMPS);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_is_read_as_it_was_compressed(bytes in vec(0..4_u8, 0..3000), texts in vec(any::<String>(), 0..5)) {
        let (bytes, texts) = (Zlib::<_, 3000>(bytes), Zlib::<_, 65_536>(texts));
        prop_assert_eq!(decoded(&encoded(&bytes)), Ok(bytes));
        prop_assert_eq!(decoded(&encoded(&texts)), Ok(texts));
    }

    #[test]
    fn no_bytes_make_decompressing_panic(bytes in vec(any::<u8>(), 0..60), at in 0..1000_usize, with: u8) {
        let _ = decoded::<Zlib<Vec<u8>, 100>>(&bytes);
        let _ = decoded::<Zlib<Vec<u8>, 100>>(&[b"\x78\x9c", &bytes[..]].concat());
        let mut stream = encoded(&zlib(text(500)));
        let length = stream.len();
        stream[at % length] = with;
        let _ = decoded::<Zlib<Vec<u8>, 600>>(&stream);
    }
}

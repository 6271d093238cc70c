//! Values over several keys under other names, and among the fields of another struct.

use amp::testing::{box_bytes, decode_ask};
use amp::value::{Big, FromZero};
use amp::{Arguments, Command, Reply, Settings, responder};

use crate::pair;

/// Was renamed, and is taken in.
#[derive(Arguments, Debug, Clone, PartialEq)]
struct Renamed {
    #[amp(alias = "numbered", alias = "n")]
    two: Big<Vec<u8>, 200_000>,
    #[amp(alias = "dotted")]
    zero: Big<Vec<u8>, 200_000, FromZero>,
}

#[derive(Command, Debug)]
#[amp(name = "Rename", response = Lengths)]
struct After {
    #[amp(flatten)]
    renamed: Renamed,
    #[amp(name = "two.x")]
    other: u8,
}

#[derive(Arguments, Debug, PartialEq)]
struct Lengths {
    lengths: Vec<usize>,
}

#[derive(Command, Debug)]
#[amp(name = "Rename", response = Lengths)]
struct Before {
    numbered: Big<Vec<u8>, 200_000>,
    dotted: Big<Vec<u8>, 200_000, FromZero>,
    #[amp(name = "two.x")]
    other: u8,
}

struct Renaming;

#[responder]
impl Renaming {
    async fn rename(&self, After { renamed, other }: After) -> Reply<After> {
        Ok(Lengths { lengths: vec![renamed.two.len(), renamed.zero.len(), other.into()] })
    }
}

#[tokio::test]
async fn all_parts_are_read_under_an_alias_and_among_the_fields_of_another_struct() {
    let (connection, _far) = pair(Renaming.into_locator(), Settings::new());
    for length in [0, 1, 65_535, 65_536, 200_000] {
        let before = Before { numbered: vec![1; length].into(), dotted: vec![2; length].into(), other: 7 };
        assert_eq!(connection.call(before).await.unwrap().lengths, [length, length, 7]);
        let renamed = Renamed { two: vec![1; length].into(), zero: vec![2; length].into() };
        assert_eq!(connection.call(After { renamed, other: 7 }).await.unwrap().lengths, [length, length, 7]);
    }
}

#[derive(Command, Debug)]
struct Migrating {
    #[amp(alias = "old")]
    rows: Big<Vec<u8>, 1000, FromZero>,
    #[amp(alias = "was")]
    two: Option<Big<Vec<u8>, 1000>>,
}

#[test]
fn a_first_part_that_is_lost_is_missed_under_another_name_too() {
    let read = |keys: &[&str]| {
        let mut pairs = vec![(b"_ask".as_slice(), b"1".as_slice()), (b"_command", b"Migrating")];
        pairs.extend(keys.iter().map(|key| (key.as_bytes(), b"x".as_slice())));
        decode_ask::<Migrating>(&box_bytes(&pairs)).map_err(|error| error.to_string())
    };
    for name in ["rows", "old"] {
        let part = |number: usize| format!("{name}.{number}");
        assert_eq!(&read(&[&part(0), &part(1)]).unwrap().rows[..], b"xx");
        assert!(
            read(&[&part(1)])
                .unwrap_err()
                .ends_with(&format!("{name}.0: missing, and later parts of the value are there"))
        );
    }
    assert!(read(&[]).unwrap().rows.is_empty());
    assert!(read(&["old.1", "rows.0"]).unwrap_err().ends_with("rows: given twice, as `rows` and as `old`"));
    assert!(read(&["was.2"]).unwrap_err().ends_with("was: missing, and later parts of the value are there"));
    assert_eq!(read(&["was", "was.2"]).unwrap().two.as_deref().map(Vec::as_slice), Some(&b"xx"[..]));
    assert!(read(&["was.1", "old.x", "old"]).unwrap().two.is_none());
}

//! The compatibility report: what a change of a schema means to peers of the old one, in both directions.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use amp::schema::{Effect, Fingerprint, Report, Schema};
use amp::value::{AsciiJson, DateTime, Decimal, Json, Octets, Zlib};
use amp::{Arguments, Command, ErrorCodes};

mod old {
    use super::*;

    #[derive(Command, Debug)]
    #[amp(response = Answer, errors = Fault)]
    pub(super) struct Change {
        pub(super) gone: u8,
        pub(super) gone_optional: Option<u8>,
        pub(super) now_required: Option<u8>,
        pub(super) now_optional: u8,
        pub(super) narrowed: u32,
        pub(super) widened: Vec<u16>,
        pub(super) signed: u8,
        pub(super) same_integer: u64,
        pub(super) retyped: u8,
        pub(super) text_to_bytes: String,
        pub(super) bytes_to_text: Vec<u8>,
        #[constrain(range = 1..9)]
        pub(super) constraint_gone: u8,
        pub(super) constraint_new: u8,
        #[constrain(range = 1..9)]
        pub(super) constraint_changed: u8,
        #[constrain(non_empty, length = ..9)]
        pub(super) constraints_in_another_order: String,
        #[constrain(with = first)]
        pub(super) rule_of_the_program: u8,
        pub(super) integer_to_decimal: u8,
        pub(super) decimal_to_integer: Decimal,
        pub(super) text_to_path: String,
        pub(super) path_to_text: PathBuf,
        pub(super) path_to_bytes: PathBuf,
        pub(super) text_to_time: String,
        pub(super) time: Vec<DateTime>,
        pub(super) character_to_text: char,
        pub(super) text_to_character: String,
        pub(super) narrowed_to_non_zero: u8,
        pub(super) float_to_duration: f64,
        pub(super) duration_to_float: Duration,
        pub(super) list_to_array: Vec<u16>,
        pub(super) array_to_list: [u16; 2],
        pub(super) bytes_resized: [u8; 4],
        pub(super) bytes_fixed: Vec<u8>,
        pub(super) array_resized: [u16; 2],
        pub(super) ip_to_v4: IpAddr,
        pub(super) v4_to_v6: Ipv4Addr,
        pub(super) ip_to_bytes: IpAddr,
        pub(super) octets_to_bytes: Octets<IpAddr>,
        pub(super) octets_to_text: Octets<IpAddr>,
        pub(super) boxed: u8,
        pub(super) text_to_json: String,
        pub(super) json_to_ascii: Json<u8>,
        pub(super) ascii_to_json: AsciiJson<u8>,
        pub(super) json_to_bytes: Json<u8>,
        pub(super) json_of_another: Json<u8>,
        pub(super) packed: Zlib<u8>,
        pub(super) packed_less: Zlib<Vec<u8>, 1000>,
        pub(super) packed_more: Zlib<u8, 1000>,
        pub(super) packed_other: Zlib<String>,
        pub(super) list_to_map: Vec<Tree>,
        pub(super) map_of_others: BTreeMap<u8, String>,
        pub(super) map_hashed: BTreeMap<u8, String>,
        pub(super) tree: Vec<Tree>,
    }

    #[derive(Arguments, Debug)]
    pub(super) struct Answer {
        pub(super) gone: u8,
        pub(super) now_required: Option<u8>,
        pub(super) now_optional: u8,
        pub(super) narrowed: u32,
        pub(super) tree: Option<Tree>,
    }

    #[derive(Arguments, Debug)]
    pub(super) struct Tree {
        #[constrain(range = 1..)]
        pub(super) leaf: u16,
        pub(super) left: Vec<Tree>,
        pub(super) right: Vec<Tree>,
        pub(super) third: Option<Vec<Tree>>,
    }

    #[derive(ErrorCodes, thiserror::Error, Debug)]
    pub(super) enum Fault {
        #[error("gone")]
        Gone,
        #[error("{0}")]
        #[amp(invalid_argument)]
        Value(String),
        #[error("fatal")]
        Fatal,
        #[error("fields")]
        Fields { gone: u8, retyped: u8 },
    }

    #[derive(Command, Debug)]
    pub(super) struct Gone;

    #[derive(Command, Debug)]
    pub(super) struct Unanswered;

    #[derive(Command, Debug)]
    #[amp(no_answer)]
    pub(super) struct Answered;
}

mod new {
    use super::*;

    #[derive(Command, Debug)]
    #[amp(response = Answer, errors = Fault)]
    pub(super) struct Change {
        pub(super) new: u8,
        pub(super) new_optional: Option<u8>,
        pub(super) now_required: u8,
        pub(super) now_optional: Option<u8>,
        pub(super) narrowed: u16,
        pub(super) widened: Vec<u32>,
        pub(super) signed: i8,
        pub(super) same_integer: usize,
        pub(super) retyped: bool,
        pub(super) text_to_bytes: Vec<u8>,
        pub(super) bytes_to_text: String,
        pub(super) constraint_gone: u8,
        #[constrain(range = 1..9)]
        pub(super) constraint_new: u8,
        #[constrain(range = 1..8)]
        pub(super) constraint_changed: u8,
        #[constrain(length = ..9, non_empty)]
        pub(super) constraints_in_another_order: String,
        #[constrain(with = second)]
        pub(super) rule_of_the_program: u8,
        pub(super) integer_to_decimal: Decimal,
        pub(super) decimal_to_integer: u8,
        pub(super) text_to_path: PathBuf,
        pub(super) path_to_text: String,
        pub(super) path_to_bytes: Vec<u8>,
        pub(super) text_to_time: DateTime,
        pub(super) time: Vec<DateTime>,
        pub(super) character_to_text: String,
        pub(super) text_to_character: char,
        pub(super) narrowed_to_non_zero: NonZero<u8>,
        pub(super) float_to_duration: Duration,
        pub(super) duration_to_float: f64,
        pub(super) list_to_array: [u32; 2],
        pub(super) array_to_list: Vec<u16>,
        pub(super) bytes_resized: [u8; 16],
        pub(super) bytes_fixed: [u8; 4],
        pub(super) array_resized: [u16; 3],
        pub(super) ip_to_v4: Ipv4Addr,
        pub(super) v4_to_v6: Ipv6Addr,
        pub(super) ip_to_bytes: Vec<u8>,
        pub(super) octets_to_bytes: Vec<u8>,
        pub(super) octets_to_text: IpAddr,
        pub(super) boxed: Box<u8>,
        pub(super) text_to_json: Json<String>,
        pub(super) json_to_ascii: AsciiJson<u8>,
        pub(super) ascii_to_json: Json<u8>,
        pub(super) json_to_bytes: Vec<u8>,
        pub(super) json_of_another: Json<String>,
        pub(super) packed: u8,
        pub(super) packed_less: Zlib<Vec<u8>, 999>,
        pub(super) packed_more: Zlib<u16>,
        pub(super) packed_other: Zlib<bool>,
        pub(super) list_to_map: HashMap<u8, u8>,
        pub(super) map_of_others: BTreeMap<u16, String>,
        pub(super) map_hashed: HashMap<u8, String>,
        pub(super) tree: Vec<Bush>,
    }

    #[derive(Arguments, Debug)]
    pub(super) struct Answer {
        pub(super) new: u8,
        pub(super) now_required: u8,
        pub(super) now_optional: Option<u8>,
        pub(super) narrowed: u16,
        pub(super) tree: Option<Bush>,
    }

    #[derive(Arguments, Debug)]
    pub(super) struct Bush {
        #[constrain(range = 1..)]
        pub(super) leaf: u32,
        pub(super) left: Vec<Bush>,
        pub(super) right: Vec<Bush>,
        pub(super) third: Option<Vec<Bush>>,
    }

    #[derive(ErrorCodes, thiserror::Error, Debug)]
    pub(super) enum Fault {
        #[error("new")]
        New,
        #[error("{0}")]
        Value(String),
        #[error("fatal")]
        #[amp(fatal)]
        Fatal,
        #[error("fields")]
        Fields { new: u8, retyped: bool },
    }

    #[derive(Command, Debug)]
    pub(super) struct New;

    #[derive(Command, Debug)]
    #[amp(no_answer)]
    pub(super) struct Unanswered;

    #[derive(Command, Debug)]
    pub(super) struct Answered;
}

fn first(_: &u8) -> bool {
    true
}

fn second(_: &u8) -> bool {
    true
}

const REPORT: &str = "\
fine    Answered: an answer is wanted now; old callers still want none
BREAKS  Change, argument array_resized: Array(ListOf(Integer(u16)); 3) instead of Array(ListOf(Integer(u16)); 2)
caution Change, argument array_to_list: any number of items instead of 2: old responders may refuse what new callers send
caution Change, argument ascii_to_json: Json instead of AsciiJson: old responders may refuse what new callers send
caution Change, argument bytes_fixed: 4 bytes instead of any number: new responders may refuse what old callers send
BREAKS  Change, argument bytes_resized: Array(String; 16) instead of Array(String; 4)
caution Change, argument bytes_to_text: text instead of bytes: new responders want UTF-8
caution Change, argument character_to_text: Unicode instead of Text(char): old responders may refuse what new callers send
caution Change, argument constraint_changed: its constraints have changed: each end may refuse what the other sends
caution Change, argument constraint_gone: a constraint is gone: old responders may refuse what new callers send
caution Change, argument constraint_new: a constraint is new: new responders may refuse what old callers send
caution Change, argument decimal_to_integer: Integer(u8) instead of Decimal: new responders may refuse what old callers send
caution Change, argument duration_to_float: Float instead of Duration: old responders may refuse what new callers send
caution Change, argument float_to_duration: Duration instead of Float: new responders may refuse what old callers send
BREAKS  Change, argument gone: it is gone, and old responders need it
fine    Change, argument gone_optional: it is gone, and was optional
caution Change, argument integer_to_decimal: Decimal instead of Integer(u8): old responders may refuse what new callers send
caution Change, argument ip_to_bytes: bytes instead of text: old responders want UTF-8
caution Change, argument ip_to_v4: Text(Ipv4Addr) instead of Text(IpAddr): new responders may refuse what old callers send
caution Change, argument json_to_ascii: AsciiJson instead of Json: new responders may refuse what old callers send
caution Change, argument json_to_bytes: bytes instead of text: old responders want UTF-8
caution Change, argument list_to_array: 2 items instead of any number: new responders may refuse what old callers send
caution Change, argument list_to_array: u32 holds more than u16: old responders may refuse what new callers send
caution Change, argument list_to_map: a map instead of a list: new responders refuse a key that comes twice
BREAKS  box Tree, now Entry, in asks, field leaf: it is gone, and old responders need it
BREAKS  box Tree, now Entry, in asks, field left: it is gone, and old responders need it
BREAKS  box Tree, now Entry, in asks, field right: it is gone, and old responders need it
fine    box Tree, now Entry, in asks, field third: it is gone, and was optional
BREAKS  box Tree, now Entry, in asks, field key: it is new and required, and old callers do not send it
BREAKS  box Tree, now Entry, in asks, field value: it is new and required, and old callers do not send it
caution box Entry, now Entry_3, in asks, field key: u16 holds more than u8: old responders may refuse what new callers send
caution Change, argument narrowed: u16 holds less than u32: new responders may refuse what old callers send
caution Change, argument narrowed_to_non_zero: NonZero<u8> holds less than u8: new responders may refuse what old callers send
caution Change, argument now_optional: it is optional now, and old responders need it when new callers leave it out
BREAKS  Change, argument now_required: it is required now, and old callers may leave it out
caution Change, argument octets_to_bytes: String instead of Octets(IpAddr): old responders may refuse what new callers send
BREAKS  Change, argument octets_to_text: Text(IpAddr) instead of Octets(IpAddr)
BREAKS  Change, argument packed: Integer(u8) instead of Zlib(Integer(u8); 1048576)
caution Change, argument packed_less: at most 999 bytes instead of 1000 before compression: new responders may refuse what old callers send
caution Change, argument packed_more: at most 1048576 bytes instead of 1000 before compression: old responders may refuse what new callers send
caution Change, argument packed_more: u16 holds more than u8: old responders may refuse what new callers send
BREAKS  Change, argument packed_other: Boolean instead of Unicode
caution Change, argument path_to_bytes: bytes instead of text: old responders want UTF-8
caution Change, argument path_to_text: Unicode instead of Path: both are UTF-8, and only an absolute path is sent as a path
BREAKS  Change, argument retyped: Boolean instead of Integer(u8)
caution Change, argument rule_of_the_program: its constraints have changed: each end may refuse what the other sends
caution Change, argument signed: i8 instead of u8: each end may refuse what the other sends
caution Change, argument text_to_bytes: bytes instead of text: old responders want UTF-8
caution Change, argument text_to_character: Text(char) instead of Unicode: new responders may refuse what old callers send
caution Change, argument text_to_json: Json instead of Unicode: new responders may refuse what old callers send
caution Change, argument text_to_path: Path instead of Unicode: both are UTF-8, and only an absolute path is sent as a path
BREAKS  Change, argument text_to_time: DateTime instead of Unicode
caution box Tree, now Bush, in asks, field leaf: u32 holds more than u16: old responders may refuse what new callers send
caution Change, argument v4_to_v6: Text(Ipv6Addr) instead of Text(Ipv4Addr): each end may refuse what the other sends
caution Change, argument widened: u32 holds more than u16: old responders may refuse what new callers send
BREAKS  Change, argument new: it is new and required, and old callers do not send it
fine    Change, argument new_optional: it is new and optional
BREAKS  Change, response gone: it is gone, and old callers need it
caution Change, response narrowed: u16 holds less than u32: new callers may refuse what old responders send
caution Change, response now_optional: it is optional now, and old callers need it when new responders leave it out
BREAKS  Change, response now_required: it is required now, and old responders may leave it out
caution box Tree, now Bush, in answers, field leaf: u32 holds more than u16: old callers may refuse what new responders send
BREAKS  Change, response new: it is new and required, and old responders do not send it
caution Change, error FATAL: it ends the connection now
caution Change, error FIELDS, field gone: it is gone, and old callers need it
BREAKS  Change, error FIELDS, field retyped: Boolean instead of Integer(u8)
caution Change, error FIELDS, field new: it is new and required, and old responders do not send it
caution Change, error GONE: it is gone; new callers see it as an undeclared code
caution Change, error NEW: it is new; old callers see it as an undeclared code
caution Change, error VALUE: a refused argument has another code now
BREAKS  Gone: the command is gone; new responders answer UNHANDLED
fine    New: the command is new; old responders answer UNHANDLED
caution Unanswered: no answer is wanted any more; new callers do not learn of errors
";

#[test]
fn every_change_is_told_with_what_it_means_to_whom() {
    let old = Schema::of([
        old::Change::DECLARATION,
        old::Gone::DECLARATION,
        old::Unanswered::DECLARATION,
        old::Answered::DECLARATION,
    ]);
    let new = Schema::of([
        new::Change::DECLARATION,
        new::New::DECLARATION,
        new::Unanswered::DECLARATION,
        new::Answered::DECLARATION,
    ]);
    let report = Report::between(&old, &new);
    assert_eq!(report.to_string(), REPORT);
    assert!(report.breaks());
    let gone = report.changes().iter().find(|change| change.place == "Gone").expect("a change");
    assert_eq!(gone.effect, Effect::Breaks);
    assert_eq!(Report::between(&old, &old).to_string(), "nothing has changed\n");
}

#[test]
fn what_is_new_and_may_be_left_out_breaks_nothing() {
    let old = Schema::of([new::New::DECLARATION]);
    let new = Schema::of([new::New::DECLARATION, new::Answered::DECLARATION]);
    let report = Report::between(&old, &new);
    assert_eq!(report.to_string(), "fine    Answered: the command is new; old responders answer UNHANDLED\n");
    assert!(!report.breaks() && Report::between(&new, &old).breaks());
}

#[derive(amp::Value, Debug)]
enum Shape {
    Point,
    Circle { radius: u16 },
}

mod list {
    #[derive(amp::Command, Debug)]
    pub(super) struct Draw {
        shapes: Vec<super::Shape>,
    }
}

mod array {
    #[derive(amp::Command, Debug)]
    pub(super) struct Draw {
        shapes: [super::Shape; 2],
    }
}

#[test]
fn a_list_of_variants_may_become_an_array_and_the_other_way_round() {
    let (list, array) = (Schema::of([list::Draw::DECLARATION]), Schema::of([array::Draw::DECLARATION]));
    assert_eq!(
        Report::between(&list, &array).to_string(),
        "caution Draw, argument shapes: 2 items instead of any number: new responders may refuse what old callers send\n"
    );
    assert_eq!(
        Report::between(&array, &list).to_string(),
        "caution Draw, argument shapes: any number of items instead of 2: old responders may refuse what new callers send\n"
    );
}

#[test]
fn reports_and_fingerprints_are_written_for_serde_and_come_back() {
    let (old, new) = (Schema::default(), Schema::of([new::Answered::DECLARATION]));
    let report = Report::between(&old, &new);
    let json = serde_json::to_string(&report).expect("JSON");
    let what = "the command is new; old responders answer UNHANDLED";
    assert_eq!(json, format!(r#"[{{"place":"Answered","what":"{what}","effect":"none"}}]"#));
    assert_eq!(serde_json::from_str::<Report>(&json).expect("a report"), report);
    let json = serde_json::to_string(&old.fingerprint()).expect("JSON");
    assert_eq!(json, r#""cbf29ce484222325""#);
    assert_eq!(serde_json::from_str::<Fingerprint>(&json).expect("a fingerprint"), old.fingerprint());
    for other in [r#""cbf29ce48422232""#, r#""CBF29CE484222325""#, r#""+bf29ce484222325""#, "1"] {
        assert!(serde_json::from_str::<Fingerprint>(other).is_err(), "{other}");
    }
}

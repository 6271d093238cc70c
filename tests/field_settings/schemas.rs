//! What schemas and reports say of these settings.

use amp::Command;
use amp::schema::{Report, Schema, from_json, to_json};

use crate::Ask;

const TEXT: &str = r#"command Ask
  argument absent: Unicode, optional, with: a rule of the program (does not hold: is_private)
  argument address: Unicode, also addr, with: a rule of the program (does not hold: is_private)
  argument addresses: ListOf(Unicode)
  argument hops: ListOf(Unicode), length: length within ..=2, with: each a rule of the program (does not hold: is_private)
  argument more: ListOf(Unicode), optional
  argument note: Unicode, optional, also Note
  argument number: Integer(u8), optional, default "3", also n, also num, range: within "1"..
  argument raw: Custom(field_settings::Opaque)
  argument targets: TaggedList(Target), optional, default ""
  argument text: Unicode, optional, default ""
  argument wait: Integer(u64), optional, default "9"
  response number: Integer(u8), optional, default "7"
  error BUSY
    field after: Integer(u64), also retry
    field times: Integer(u8), optional, default "0"
enum Target, under the key type
  variant host
    field address: Unicode
    field port: Integer(u16), optional, default "80", also p
"#;

#[test]
fn a_schema_names_what_is_written_the_defaults_and_the_other_names() {
    let schema = Schema::of([Ask::DECLARATION]);
    assert_eq!(schema.to_string(), TEXT);
    assert_eq!(from_json(&to_json(&schema).unwrap()).unwrap(), schema);
    let python = schema.to_twisted();
    for line in [
        "(b'address', _Field(amp.Unicode(), aliases=[b'addr'])),  # only Rust checks: does not hold: is_private\n",
        "(b'wait', _Field(amp.Integer(optional=True), (\"out of range for u64\", _range(0, 2**64 - 1)), default=b'9')),\n",
        "default=b'3', aliases=[b'n', b'num'])),\n",
        "(b'raw', _Field(amp.String())),  # field_settings::Opaque, which only Rust knows\n",
    ] {
        assert!(python.contains(line), "{line} in {python}");
    }
}

/// The same command with another field.
macro_rules! changed {
    ($($name:ident: $(#[$attribute:meta])* $field:ident: $type:ty;)*) => {$(
        mod $name {
            #[derive(amp::Command, Debug)]
            pub(super) struct Ask {
                $(#[$attribute])*
                pub(super) $field: $type,
            }
        }
    )*};
}

changed! {
    plain: a: u8;
    optional: a: Option<u8>;
    one: #[amp(default = 1)] a: u8;
    two: #[amp(default = 2)] a: u8;
    renamed: b: u8;
    reads_both: #[amp(alias = "b")] a: u8;
    writes_b: #[amp(alias = "a")] b: u8;
    one_of_b: #[amp(alias = "a", default = 1)] b: u8;
}

#[test]
fn a_report_says_what_defaults_and_other_names_mean_to_peers() {
    let between = |old, new| Report::between(&Schema::of([old]), &Schema::of([new])).to_string();
    let plain = plain::Ask::DECLARATION;
    for (old, new, said) in [
        (plain, plain, "nothing has changed\n"),
        (plain, reads_both::Ask::DECLARATION, "fine    Ask, argument a: new responders also read it as b\n"),
        (
            reads_both::Ask::DECLARATION,
            plain,
            "caution Ask, argument a: new responders no longer read it as b: no callers may write that any more\n",
        ),
        (plain, one::Ask::DECLARATION, "fine    Ask, argument a: it has a default now, and new callers write it\n"),
        (
            one::Ask::DECLARATION,
            plain,
            "fine    Ask, argument a: it has no default any more, and old callers write it\n",
        ),
        (
            optional::Ask::DECLARATION,
            one::Ask::DECLARATION,
            "fine    Ask, argument a: an absent one is \"1\" to new responders now\n",
        ),
        (
            one::Ask::DECLARATION,
            optional::Ask::DECLARATION,
            "caution Ask, argument a: new callers may leave it out, and it is \"1\" to old responders then\n",
        ),
        (
            one::Ask::DECLARATION,
            two::Ask::DECLARATION,
            "caution Ask, argument a: an absent one is \"2\" now instead of \"1\"\n",
        ),
        (
            plain,
            writes_b::Ask::DECLARATION,
            "BREAKS  Ask, argument a: it is called b now, and old responders know only the old name\n",
        ),
        (
            reads_both::Ask::DECLARATION,
            renamed::Ask::DECLARATION,
            "BREAKS  Ask, argument a: it is called b now, and new responders know only that\n",
        ),
        (
            reads_both::Ask::DECLARATION,
            writes_b::Ask::DECLARATION,
            "fine    Ask, argument a: it is called b now, and both ends read both names\n",
        ),
        (
            plain,
            one_of_b::Ask::DECLARATION,
            "fine    Ask, argument a: it has a default now, and new callers write it\n\
             BREAKS  Ask, argument a: it is called b now, and old responders know only the old name\n",
        ),
    ] {
        assert_eq!(between(old, new), said);
    }
}

#[test]
fn a_default_and_a_name_count_in_a_fingerprint() {
    let of = |declared| Schema::of([declared]).fingerprint();
    let all = [
        of(plain::Ask::DECLARATION),
        of(optional::Ask::DECLARATION),
        of(one::Ask::DECLARATION),
        of(two::Ask::DECLARATION),
        of(reads_both::Ask::DECLARATION),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(!all[..index].contains(one), "number {index} counts for nothing");
    }
}

//! What things are called on the wire, and what may be left out.

use amp::{Arguments, Command, Connection};

use crate::commands::{Perhaps, PerhapsGiven};
use crate::harness::{Twisted, on, soon};

#[derive(Command, Debug)]
#[amp(name = "spelled-As-declared", response = Named)]
struct Names {
    #[amp(name = "foo-bar")]
    foo_bar: u8,
    from: u8,
    r#async: u8,
    #[amp(name = "Upper")]
    upper: u8,
}

#[derive(Arguments, Debug, PartialEq)]
struct Named {
    #[amp(name = "foo-bar")]
    foo_bar: u8,
    from: u8,
    r#async: u8,
    #[amp(name = "Upper")]
    upper: u8,
}

const NAMED: Named = Named { foo_bar: 1, from: 2, r#async: 3, upper: 4 };

#[tokio::test]
async fn rule_56_names_that_are_no_identifiers_reach_twisted() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let names = Names { foo_bar: 1, from: 2, r#async: 3, upper: 4 };
    assert_eq!(soon(connection.call(names)).await.unwrap(), NAMED);
}

#[tokio::test]
async fn rule_56_names_that_are_no_identifiers_come_from_twisted() {
    let names = on(async |Names { foo_bar, from, r#async, upper }: Names| Ok(Named { foo_bar, from, r#async, upper }));
    let Some(mut served) = Twisted::calling(std::sync::Arc::new(names)).await else { return };
    let result = served.twisted.say("call(Names, **{'foo_bar': 1, 'From': 2, 'async': 3, 'Upper': 4})").await;
    assert_eq!(result, "{'foo_bar': 1, 'From': 2, 'async': 3, 'Upper': 4}");
}

#[tokio::test]
async fn rule_55_what_is_absent_arrives_at_twisted_as_none_and_what_is_empty_as_empty() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let nothing = soon(connection.call(Perhaps { count: None, data: None, name: None })).await.unwrap();
    assert_eq!(nothing, PerhapsGiven::default());
    let empty = soon(connection.call(Perhaps { count: Some(0), data: Some(vec![]), name: Some(String::new()) })).await;
    assert_eq!(empty.unwrap(), PerhapsGiven { count: Some(0), data: Some(vec![]), name: Some(String::new()) });
}

#[tokio::test]
async fn rule_55_what_twisted_leaves_out_is_none_and_what_it_sends_empty_is_some() {
    let perhaps = on(async |Perhaps { count, data, name }: Perhaps| Ok(PerhapsGiven { count, data, name }));
    let Some(mut served) = Twisted::calling(std::sync::Arc::new(perhaps)).await else { return };
    assert_eq!(served.twisted.say("call(Perhaps)").await, "{'count': None, 'data': None, 'name': None}");
    let result = served.twisted.say("call(Perhaps, data=b'', name='')").await;
    assert_eq!(result, "{'count': None, 'data': b'', 'name': ''}");
}

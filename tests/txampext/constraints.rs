//! "Argument constraints": of those that are built in, and of one's own.

use amp::connection::pair;
use amp::{AmpBox, CallError, Command, Connection, Reply, responder};

fn divisible_by_11(value: &i64) -> bool {
    value % 11 == 0
}

#[derive(Command, Debug)]
struct Order {
    #[constrain(in_set = [1, 2, 3, 4, 5])]
    number: i64,
    #[constrain(not_in_set = ["sold out", "unknown"])]
    article: String,
    #[constrain(with = divisible_by_11)]
    price: i64,
}

struct Shop;

#[responder]
impl Shop {
    async fn order(&self, _: Order) -> Reply<Order> {
        Ok(())
    }
}

fn order() -> Order {
    Order { number: 3, article: "ladder".into(), price: 121 }
}

/// What the shop says to these words, which nobody has checked on their way.
async fn unchecked(customer: &Connection, words: [(&'static str, &'static str); 3]) -> Result<AmpBox, String> {
    let arguments = words.into_iter().try_fold(AmpBox::new(), |made, (key, value)| made.with(key, value));
    match customer.call_box("Order", arguments.expect("it fits")).await {
        Err(CallError::Remote { code, description }) => Err(format!("{code}: {description}")),
        other => Ok(other.expect("an answer or an error")),
    }
}

fn connected() -> (Connection, Connection) {
    pair(Connection::builder(), Connection::builder().locator(Shop.into_locator()))
}

/// Why the arguments were refused before anything was sent.
async fn refused(customer: &Connection, order: Order) -> String {
    match customer.call(order).await {
        Err(CallError::Invalid(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_constrained_argument_is_used_as_any_other() {
    let (customer, _shop) = connected();
    customer.call(order()).await.expect("every constraint holds");
}

#[tokio::test]
async fn the_constraints_in_set_and_not_in_set_are_built_in() {
    let (customer, _shop) = connected();
    let why = refused(&customer, Order { number: 6, ..order() }).await;
    assert!(why.contains("number: not in [1, 2, 3, 4, 5]"), "{why}");
    let why = refused(&customer, Order { article: "sold out".into(), ..order() }).await;
    assert!(why.contains("article: "), "{why}");
}

#[tokio::test]
async fn a_constraint_of_ones_own_is_a_function_of_the_value() {
    let (customer, _shop) = connected();
    let why = refused(&customer, Order { price: 120, ..order() }).await;
    assert!(why.contains("price: ") && why.contains("divisible_by_11"), "{why}");
}

#[tokio::test]
async fn the_end_that_answers_checks_what_a_peer_has_not() {
    let (customer, shop) = connected();
    let good = [("number", "3"), ("article", "ladder"), ("price", "121")];
    unchecked(&customer, good).await.expect("every constraint holds");
    for (at, bad) in [(0, "6"), (1, "unknown"), (2, "120")] {
        let mut words = good;
        words[at].1 = bad;
        let error = unchecked(&customer, words).await.expect_err("a constraint is broken");
        assert!(error.starts_with("INVALID_ARGUMENT: ") && error.contains(words[at].0), "{error}");
        assert!(!error.contains(&format!(" {bad}")), "the value is never told: {error}");
    }
    assert!(!shop.is_closed(), "a broken constraint costs one call");
}

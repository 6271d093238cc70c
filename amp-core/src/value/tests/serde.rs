use super::*;

#[test]
fn to_serde_decimals_and_times_are_their_text() {
    let decimals: Vec<Decimal> = ["1.0", "1E+2", "-0", "NaN12"].map(|text| text.parse().expect("a decimal")).into();
    let json = serde_json::to_string(&decimals).expect("JSON");
    assert_eq!(json, r#"["1.0","1E+2","-0","NaN12"]"#);
    assert_eq!(serde_json::from_str::<Vec<Decimal>>(&json).expect("decimals"), decimals);
    assert_eq!(serde_json::from_str::<Decimal>("\" 1_0 \"").expect("a decimal").as_str(), "10");
    let time = DateTime::UNIX_EPOCH.with_offset(-3600).expect("a time");
    let json = serde_json::to_string(&time).expect("JSON");
    assert_eq!(json, r#""1969-12-31T23:00:00.000000-01:00""#);
    let back: DateTime = serde_json::from_str(&json).expect("a time");
    assert_eq!((back, back.offset_minutes()), (time, -60));
}

#[test]
fn to_serde_what_is_no_decimal_and_no_time_is_an_error() {
    let error = |text| serde_json::from_str::<Decimal>(text).expect_err("no decimal").to_string();
    assert!(error(r#""one""#).starts_with("not a decimal"), "{}", error(r#""one""#));
    // A number of JSON has lost its digits where serde hands it on.
    assert!(error("1.0").contains("expected the text of a decimal"), "{}", error("1.0"));
    let error = serde_json::from_str::<DateTime>(r#""1970-01-01T00:00:00Z""#).expect_err("no time").to_string();
    assert!(error.starts_with("not a date and time of 32 characters"), "{error}");
}

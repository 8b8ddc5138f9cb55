use super::*;

fn round(text: &str) -> String {
    parse(text.as_bytes()).unwrap().to_string()
}

#[test]
fn writes_back_what_it_read() {
    for text in ["null", "[]", "{}", "[1,-0,2.50,1e400,12345678901234567890]", r#"{"a":[true,false,"x\"\\\n\u0001é"]}"#]
    {
        assert_eq!(text, round(text));
    }
    assert_eq!(r#"{"a":1,"b":[2]}"#, round(" { \"a\" : 1 ,\r\n\"b\":[ 2 ]\t} "));
}

#[test]
fn keeps_ids_of_64_bits_exact() {
    assert_eq!(Some(9007199254740993), parse(b"9007199254740993").unwrap().as_i64());
    assert_eq!(None, parse(b"18446744073709551616").unwrap().as_i64());
    assert_eq!(Some(1000), parse(b"1e3").unwrap().as_i64());
    assert_eq!(None, parse(b"1.5").unwrap().as_i64());
}

#[test]
fn joins_surrogates_and_replaces_lone_ones() {
    assert_eq!("😀", parse(br#""\ud83d\ude00""#).unwrap().text());
    assert_eq!("\u{fffd}x", parse(br#""\ud83dx""#).unwrap().text());
    assert_eq!("\u{fffd}A", parse(br#""\ud83d\u0041""#).unwrap().text());
    assert_eq!("\u{fffd}", parse(br#""\udc00""#).unwrap().text());
}

#[test]
fn refuses_what_is_not_json() {
    for text in
        ["", "nul", "01", "1.", "-", "[1,]", "{\"a\"}", "{a:1}", "\"\n\"", "\"\\x\"", "\"\\u12\"", "1 2", "[", "\"a"]
    {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(parse(b"\"\xff\"").is_err());
    assert_eq!("nested too deeply", parse("[".repeat(200_000).as_bytes()).unwrap_err().what);
    assert!(parse(("[".repeat(DEPTH_MAX) + &"]".repeat(DEPTH_MAX)).as_bytes()).is_ok());
}

#[test]
fn reads_anything_without_a_panic() {
    let mut seed = 7u32;
    let alphabet = br#"{}[]",:\u0123dtfn-e. "#;
    for _ in 0..20_000 {
        let text: Vec<u8> = (0..24)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                alphabet[(seed >> 24) as usize % alphabet.len()]
            })
            .collect();
        if let Ok(value) = parse(&text) {
            assert_eq!(value, parse(value.to_string().as_bytes()).unwrap());
        }
    }
}

#[test]
fn missing_members_read_as_null() {
    let value = object! { "a": object! { "b": 1 }, "n": Option::<i32>::None };
    assert_eq!(Some(1), value["a"]["b"].as_i64());
    assert!(value["x"]["y"][3].is_null());
    assert_eq!(r#"{"a":{"b":1},"n":null}"#, value.to_string());
}

use super::*;

#[test]
fn reads_the_form_that_was_asked_for() {
    let answer = read(
        "SUMMARY: It adds a cache.\nand a test.\n\nCHANGE: New cache\nFILE src/a.py: adds a cache\n\
         RISK | high | removed-check | src/a.py:12 | `if a || b:` | The check | is gone.\n",
    );
    assert_eq!("It adds a cache. and a test.", answer.summary);
    assert_eq!(vec!["New cache".to_string()], answer.changes);
    assert_eq!(vec![("src/a.py".to_string(), "adds a cache".to_string())], answer.files);
    let claim = &answer.claims[0];
    assert_eq!(("high", "removed-check", "src/a.py", 12), (&*claim.severity, &*claim.kind, &*claim.file, claim.line));
    assert_eq!(("if a || b:", "The check | is gone."), (&*claim.quote, &*claim.message));
}

#[test]
fn reads_decorated_lines() {
    let answer =
        read("## Summary\nText here.\n1. **RISK** | *High* | secret | `a.py` line 3 | x = 1 | why\n* NO RISKS in b");
    assert_eq!("Text here.", answer.summary);
    assert_eq!(
        ("high", "a.py", 3, "x = 1"),
        (&*answer.claims[0].severity, &*answer.claims[0].file, answer.claims[0].line, &*answer.claims[0].quote)
    );
    assert!(answer.says_none);
}

#[test]
fn reads_json_with_text_around_it() {
    let answer = read(
        "Sure!\n```json\n{\"summary\":\"S\",\"risks\":[{\"path\":\"a:4\",\"severity\":\"low\",\"code\":\"q\",\"why\":\"w\"}]}\n```\n",
    );
    assert_eq!(
        ("S", "a", 4, "q", "w"),
        (
            &*answer.summary,
            &*answer.claims[0].file,
            answer.claims[0].line,
            &*answer.claims[0].quote,
            &*answer.claims[0].message
        )
    );
    assert!(read("[]").says_none);
}

#[test]
fn nonsense_is_an_empty_answer() {
    let absurd = "RISK ".repeat(50_000);
    for text in ["", "lorem ipsum", "{\"a\"", "RISK | high", "}{", "FILE", absurd.as_str(), "ßRISK|é|ü"] {
        assert!(read(text).is_empty(), "{}", &text[..text.len().min(20)]);
    }
}

#[test]
fn a_flood_is_cut() {
    let flood = "RISK | low | resource | a:1 | `some quote` | why\n".repeat(100_000);
    assert_eq!(40, read(&flood).claims.len());
}

#[test]
fn prose_must_be_about_the_change() {
    let known = |word: &str| word == "cache";
    assert!(is_plausible("It adds a cache to the reader.", &known));
    assert!(!is_plausible("Lorem ipsum dolor sit amet.", &known));
    assert!(!is_plausible(&"cache the ".repeat(40), &known));
    assert!(!is_plausible("cache", &known));
    assert!(!is_plausible("cache }{}{ ;;; ((( ))) [[[ ]]] +++ *** &&& %%% $$$ a b", &known));
}

#[test]
fn unquoted_claims_about_lines_are_seen() {
    for text in ["On line 12 it fails", "see a.py:7", "Lines 3-4 leak", "line #9"] {
        assert!(names_a_line(text), "{text}");
    }
    for text in ["A new line is added", "at 10:30 it runs", "ratio 1:2", "uses pipeline 2"] {
        assert!(!names_a_line(text), "{text}");
    }
}

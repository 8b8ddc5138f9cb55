//! Assertions that ask for less, or went from a test that stays.

use std::collections::HashSet;

use super::tests::{declared, say};
use super::{pattern, Report};
use crate::view::{words_of, Block, FileView, View};

pub fn is_assertion(code: &str) -> bool {
    pattern!(
        r"\bassert\w*\b\s*[!(.\s]|\bexpect\s*\(|\bpytest\.raises|\braises\(|\bshould\b|\bAssert\.|\bverify\(
        |\brequire\.\w+\(|\bt\.(?:Error
        |Fatal)f?\(|\bEXPECT_|\bASSERT_|\bXCTAssert|\bCHECK(?:_\w+)?\(|\bREQUIRE(?:_\w+)?\(|\.should\.|\bmust_
        |\bassert\."
    )
    .is_match(code)
}

/// Same lines, less asserted.
pub fn weakened(view: &View, file: &FileView, block: &Block, removed_words: &HashSet<&str>, report: &mut Report) {
    let strong = pattern!(
        r"(?i)assert_?equals?\w*|assertEqual|\.toBe\(|\.toEqual\(|\.toStrictEqual\(|assert_eq!|Assert\.(?:Equal
            |AreEqual|Same|Throws)|assertSame|assertThrows|assertRaises|\.to eq|\.to be\(|isEqualTo\(|==|toThrow
            |EXPECT_EQ|ASSERT_EQ|require\.Equal|assert\.Equal|deepEqual|strictEqual|assertStrictEqual|should\.equal
            |XCTAssertEqual|toHaveBeenCalledWith|toMatchObject|containsExactly|times\("
    );
    let weak = pattern!(
        r"(?i)\bassert\s[^=]*[<>]|assertTrue\(|assertIsNotNone|assertNotNull|is not None|toBeDefined\(|toBeTruthy\(
            |not\.toBeNull|not\.toThrow|Assert\.(?:NotNull|True|NotEmpty|IsType)|\.is_some\(\)|\.is_ok\(\)
            |assert!\(|isNotNull\(|isNotEmpty\(|be_truthy|be_present|not_to be_nil|anything|any\(|EXPECT_TRUE
            |EXPECT_NE|ASSERT_TRUE|require\.NotNil|assert\.NotNil|NoError|assert\.ok|toBeGreaterThan|assertGreater
            |assertIn\(|toContain|>=|toHaveBeenCalled\(|hasSize|assertNotEqual|not_to raise|isTruthy|Contains\(
            |starts_with|isinstance|len\("
    );
    let tolerance =
        pattern!(r"(?i)tol|delta|places|epsilon|eps|precision|closeTo|CloseTo|within|threshold|approx|\babs\(");
    for &at in block.added.iter().filter(|at| file.lines[**at].is_new()) {
        let Some(old) = file.pair_of(at) else { continue };
        let code = &file.lines[at].code;
        if !is_assertion(&old.code) {
            continue;
        }
        let weaker = strong.is_match(&old.code) && weak.is_match(code) && !strong.is_match(code) && is_assertion(code);
        // The exact assertion may stand on one of the other lines now.
        let others = block
            .added
            .iter()
            .filter(|i| **i != at && strong.is_match(&file.lines[**i].code) && is_assertion(&file.lines[**i].code))
            .count();
        let olds = block
            .removed
            .iter()
            .filter(|i| strong.is_match(&file.lines[**i].code) && is_assertion(&file.lines[**i].code))
            .count();
        if weaker && others < olds {
            say(
                report,
                file,
                at,
                "weaker-assertion",
                70,
                "The test asserted an exact result and now asserts less, \
                so a wrong result passes. Assert the result again.",
            );
            return;
        }
        if tolerance.is_match(code) && looser(&old.live, &file.lines[at].live) {
            say(
                report,
                file,
                at,
                "weaker-assertion",
                62,
                "The tolerance of this assertion grew. Say where the larger error comes from, or keep the tolerance.",
            );
            return;
        }
    }
    // The failure that the test asked for is no longer asked for.
    let fails = pattern!(
        r"\bpytest\.raises|assertRaises|assertThrows|expectException|\.toThrow|Assert\.Throws|should_panic
        |raise_error|\.rejects\."
    );
    let any = |at: &usize| fails.is_match(&file.lines[*at].live);
    let again = file.lines.iter().any(|l| l.is_added() && fails.is_match(&l.live));
    let declares = block.removed.iter().any(|at| declared(file, *at).is_some());
    if let Some(at) = block.removed.iter().copied().find(any).filter(|_| !again && !declares && !block.added.is_empty())
    {
        let now = block.added[0];
        let at = if file.lines[now].is_blank() { at } else { now };
        say(
            report,
            file,
            at,
            "weaker-assertion",
            68,
            "The test asked for a failure here and no longer does, so wrong input may pass. Ask for it again.",
        );
        return;
    }
    lost_assertions(view, file, block, removed_words, report);
}

/// One number differs, and the new one allows more.
fn looser(old: &str, new: &str) -> bool {
    let number = pattern!(r"\b\d+(?:\.\d+)?(?:e-?\d+)?\b");
    let read = |text: &str| -> Vec<f64> {
        number.all(text).iter().filter_map(|h| text[h.start()..h.end()].parse().ok()).collect()
    };
    let (before, after) = (read(old), read(new));
    if before.len() != after.len() || before.is_empty() {
        return false;
    }
    let changed: Vec<(f64, f64)> = before.iter().copied().zip(after.iter().copied()).filter(|(a, b)| a != b).collect();
    let places = pattern!(r"places|toBeCloseTo|precision").is_match(new);
    matches!(changed.as_slice(), [(a, b)] if if places { b < a } else { *b > *a * 1.5 })
}

/// Assertions that went from a test which stays.
fn lost_assertions(view: &View, file: &FileView, block: &Block, removed_words: &HashSet<&str>, report: &mut Report) {
    if !block.added.is_empty() || block.removed.len() > 6 || file.is_deleted_file() {
        return;
    }
    let removed: Vec<usize> = block
        .removed
        .iter()
        .copied()
        .filter(|at| file.lines[*at].is_gone() && is_assertion(&file.lines[*at].code))
        .collect();
    let all = |added: bool| {
        file.lines
            .iter()
            .filter(|l| if added { l.is_added() } else { l.is_removed() })
            .filter(|l| is_assertion(&l.code))
            .count()
    };
    let declares = block.removed.iter().any(|at| declared(file, *at).is_some());
    if removed.is_empty() || declares || all(true) >= all(false) {
        return;
    }
    // What the assertion speaks of went from the code as well: then it had to go.
    let mut about = words_of(file.lines[removed[0]].text()).filter(|w| w.len() > 3);
    let explained = about.any(|w| removed_words.contains(w) && !view.adds_word(w));
    let only = block
        .removed
        .iter()
        .filter(|at| !file.lines[**at].is_blank())
        .all(|at| is_assertion(&file.lines[*at].code) || file.lines[*at].code.trim().len() < 3);
    if only && !explained {
        say(
            report,
            file,
            removed[0],
            "lost-assertion",
            60,
            "The test stays and asserts less. Keep the assertion, or say why its claim need no longer hold.",
        );
    }
}

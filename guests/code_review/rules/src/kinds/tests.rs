//! Tests that no longer test: skipped, deleted, weakened, commented out.

use std::collections::HashSet;

use super::assertion::{is_assertion, weakened};
use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::symbols::Declarations;
use crate::view::{words_of, FileView, View};

pub fn find(view: &View, report: &mut Report) {
    let gone = removed_symbols(view);
    let added = added_names(view);
    let removed_words = removed_words(view);
    let added_tests: usize = view.files.iter().filter(|f| is_test_file(f)).map(|f| count(f, true)).sum();
    let removed_tests: usize = view.files.iter().filter(|f| is_test_file(f)).map(|f| count(f, false)).sum();
    for file in &view.files {
        if file.place.vendored || file.place.generated || file.place.docs {
            continue;
        }
        if !is_test_file(file) {
            if file.place.manifest || file.lang == Lang::Ini || file.path.contains("config") || file.place.workflow {
                switched_off(file, report);
            }
            continue;
        }
        for at in 0..file.lines.len() {
            if file.lines[at].is_new() && !file.lines[at].is_blank() {
                let _ = skipped(file, at, report) || hollow(file, at, report);
            } else if file.lines[at].is_added() && file.lines[at].is_blank() {
                commented_out(file, at, report);
            }
        }
        if removed_tests > added_tests {
            deleted(view, file, &gone, &added, report);
        }
        for block in &file.blocks {
            weakened(view, file, block, &removed_words, report);
        }
    }
}

pub fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: &str) -> bool {
    report.add(file, at, Kind::RemovedTest, rule, Severity::Medium, score, message.to_owned());
    true
}

/// By its path, or because it holds tests beside the code as Rust and D do.
fn is_test_file(file: &FileView) -> bool {
    file.lang.is_code()
        && (file.place.test
            || file.lang == Lang::Rust
                && file.lines.iter().any(|l| {
                    l.code.contains("#[test]") || l.code.contains("#[cfg(test)]") || l.code.contains("::test]")
                }))
}

/// The name of the test that a line declares.
pub fn declared<'f>(file: &'f FileView, at: usize) -> Option<&'f str> {
    let line = &file.lines[at];
    let text = line.live.as_str();
    let named =
        |pattern: &crate::pattern::Pattern| pattern.find(text).map(|hit| hit.group(1)).filter(|n| !n.is_empty());
    match file.lang {
        Lang::Python => named(pattern!(r"^\s*(?:async )?def (test\w*)")),
        Lang::JavaScript | Lang::TypeScript => {
            named(pattern!(r#"^\s*(?:it|test|specify)(?:\.\w+)*(?:\([^)]*\))?\(\s*(["'`].*)"#))
        }
        Lang::Go => named(pattern!(r"^func ((?:Test|Benchmark|Fuzz|Example)\w*)\(")),
        Lang::Ruby => named(pattern!(r#"^\s*(?:it|specify|test|scenario)\s*\(?\s*(["'].*)|^\s*def (test_\w+)"#)),
        Lang::Php => named(pattern!(r"^\s*public function (test\w*)\(")).or_else(|| annotated(file, at)),
        Lang::Elixir => named(pattern!(r#"^\s*test\s+("[^"]*")"#)),
        Lang::Cpp | Lang::C => named(pattern!(
            r"^\s*(?:TEST|TEST_F|TEST_P|TYPED_TEST|TEST_CASE|SCENARIO|BOOST_AUTO_TEST_CASE|START_TEST)\s*\((.*)\)"
        )),
        Lang::Swift => named(pattern!(r"^\s*func (test\w*)\(")),
        _ => annotated(file, at),
    }
}

/// A function under `@Test`, `[Fact]` or `#[test]`.
fn annotated<'f>(file: &'f FileView, at: usize) -> Option<&'f str> {
    let line = &file.lines[at];
    let function = pattern!(
        r"^\s*(?:(?:public|private|internal|protected|static|async|override|suspend|final|pub)\s+)*(?:fn|fun|void
            |function|Task|[\w<>\[\]]+)\s+`?(\w[\w ]*)`?\s*\("
    );
    let name = function.find(&line.live)?.group(1);
    let mark = pattern!(
        r"^\s*(?:@(?:Parameterized|Repeated)?Test(?:Factory)?\b|\[(?:Fact|Theory|Test|TestMethod|TestCase)\b
            |#\[(?:\w+::)*(?:test|rstest)\b)|@test\b"
    );
    file.above(at, 5)
        .take_while(|l| !l.code.contains('{') || l.code.trim_start().starts_with(['@', '#', '[']))
        .any(|l| mark.is_match(l.text()))
        .then_some(name)
}

fn count(file: &FileView, added: bool) -> usize {
    let lines = file.lines.iter().enumerate().filter(|(_, l)| if added { l.is_added() } else { l.is_removed() });
    lines.filter(|(at, _)| declared(file, *at).is_some()).count()
}

/// What is declared in the removed code outside tests, and not anew.
fn removed_symbols(view: &View) -> HashSet<String> {
    let declarations = Declarations::new();
    let any = pattern!(r"\b(?:def|fn|func|function|class|struct|interface|enum|fun|type)\s+(\w{4,})");
    let mut gone = HashSet::new();
    for file in view.files.iter().filter(|f| f.lang.is_code() && !f.place.test) {
        for line in file.lines.iter().filter(|l| l.is_gone()) {
            let name = declarations
                .of(file.lang, &line.code)
                .map(|s| s.name)
                .or_else(|| any.find(&line.code).map(|h| h.group(1)));
            gone.extend(name.filter(|n| !view.adds_word(n)).map(str::to_owned));
        }
    }
    gone
}

fn skipped(file: &FileView, at: usize, report: &mut Report) -> bool {
    let skip = pattern!(SKIP);
    let only = pattern!(
        r"\b(?:it|test|describe|context|specify)\.only\(|^\s*f(?:it|describe|context)\s*\(|\.only\s*\(\s*['\x22`]"
    );
    let line = &file.lines[at];
    let live = line.live.as_str();
    let old = file.pair_of(at).map_or("", |old| old.live.as_str());
    if only.is_match(live) && !only.is_match(old) && (file.lang.is_script() || file.lang == Lang::Ruby) {
        return say(
            report,
            file,
            at,
            "only-one-test",
            76,
            "Only this test runs now; all others of the file are left out without a word. Remove the mark.",
        );
    }
    if !skip.is_match(live) || skip.is_match(old) {
        return false;
    }
    let conditional = pattern!(
        r"(?i)skip_?if|skipunless|\bif\b|unless|when|\?|runIf|EnabledOn|DisabledOn|DisabledIf|IgnoreIf
            |strict=False.*condition|os\.name|sys\.platform|platform"
    );
    if conditional.is_match(live) || (is_statement(live) && under_condition(file, at)) {
        return false;
    }
    // A new test that is not ready, or an old one that is no longer run?
    let subject_is_new = !old_test(file, at) && old.is_empty();
    if subject_is_new || file.is_new_file() {
        return false;
    }
    let tracked = pattern!(r"#\d{2,}|https?://|[A-Z]{2,}-\d+").is_match(line.text());
    let score = if tracked { 62 } else { 78 };
    say(
        report,
        file,
        at,
        "skipped-test",
        score,
        "A test that ran before no longer does, so what it guards may \
        break unseen. Mend it, or remove it together with what it tests.",
    )
}

/// Names of the tests that the change adds.
fn added_names<'v>(view: &'v View) -> HashSet<&'v str> {
    let files = view.files.iter().filter(|f| is_test_file(f));
    files
        .flat_map(|f| (0..f.lines.len()).filter(|at| f.lines[*at].is_added()).filter_map(|at| declared(f, at)))
        .collect()
}

/// Words of the lines that went from the code outside tests.
fn removed_words<'v>(view: &'v View) -> HashSet<&'v str> {
    let files = view.files.iter().filter(|f| !f.place.test);
    files.flat_map(|f| &f.lines).filter(|l| l.is_gone()).flat_map(|l| words_of(&l.line.text)).collect()
}

const SKIP: &str = r"\b(?:it|test|describe|context|specify|suite)(?:\.\w+)*\.(?:skip|failing|fixme)\b|^\s*x(?:it
    |describe|test|context|specify)\b\s*\(?|@(?:Ignore|Disabled)\b|@unittest\.skip\(|@(?:pytest\.mark\.)(?:skip
    |xfail)\b|@skip\(|^\s*#\[ignore|\[(?:Fact|Theory)\(.*\bSkip\s*=|\[(?:Ignore|Explicit)\b|\bSkip\s*=\s*\x22
    |@tag :skip|@group skip|\bDISABLED_\w+|^\s*pending\b|^\s*skip\b(?:\s|\(|$)|markTestSkipped\(
    |markTestIncomplete\(|\bt\.Skip(?:f|Now)?\(|pytest\.skip\(|self\.skipTest\(|raise (?:unittest\.)?SkipTest
    |GTEST_SKIP\(\)|throw XCTSkip|this\.skip\(\)|\btest\.todo\(|@Test\(enabled\s*=\s*false|,\s*skip:\s*true
    |,\s*:skip\b|skip:\s*['\x22]|Assert\.Ignore\(|Assert\.Inconclusive\(";

fn is_statement(live: &str) -> bool {
    pattern!(
        r"^\s*(?:t\.Skip|pytest\.skip|self\.skip|raise|GTEST_SKIP|throw|this\.skip|skip\b|return|\$this->mark
        |Assert\.|pending)"
    )
    .is_match(live)
}

fn under_condition(file: &FileView, at: usize) -> bool {
    let indent = file.lines[at].indent();
    file.above(at, 8).find(|l| !l.is_blank() && l.indent() < indent).is_some_and(|l| {
        pattern!(r"\b(?:if|unless|else|elif|except|catch|rescue|when|switch|case)\b").is_match(&l.code)
    })
}

/// Whether the test that a skip mark belongs to stood there before.
fn old_test(file: &FileView, at: usize) -> bool {
    if is_statement(&file.lines[at].live) {
        return file
            .above(at, 12)
            .find(|l| pattern!(r"\b(?:def|func|function|fn|fun|void|it|test|TEST\w*)\b").is_match(&l.code))
            .is_none_or(|l| !l.is_new());
    }
    let next = file.below(at, 6).find(|l| {
        let code = l.code.trim_start();
        !l.is_blank()
            && !code.starts_with('@')
            && !code.starts_with("#[")
            && !(code.starts_with('[') && code.trim_end().ends_with(']'))
    });
    next.is_some_and(|l| !l.is_added() || l.moved || l.pair.is_some())
}

/// An assertion that is always true.
fn hollow(file: &FileView, at: usize, report: &mut Report) -> bool {
    let always = pattern!(
        r"^\s*(?:self\.)?(?:assert\s+True\s*$|assertTrue\(\s*[Tt]rue\s*\)|assert\s*\(\s*true\s*\)
            |expect\(\s*true\s*\)\.to(?:Be|Equal)\(\s*true\s*\)|expect\(\s*1\s*\)\.toBe\(\s*1\s*\)
            |Assert\.True\(\s*true\s*\)|assert!\(\s*true\s*\)|\$this->assertTrue\(\s*true\s*\))"
    );
    let line = &file.lines[at];
    if !always.is_match(&line.code)
        || line.pair.is_none()
            && !file
                .blocks
                .iter()
                .any(|b| b.lines.contains(&at) && b.removed.iter().any(|i| is_assertion(&file.lines[*i].code)))
    {
        return false;
    }
    say(
        report,
        file,
        at,
        "hollow-assertion",
        78,
        "This assertion is true whatever the code does. Assert what the test is named for.",
    )
}

fn commented_out(file: &FileView, at: usize, report: &mut Report) {
    let text = file.lines[at].text().trim().trim_start_matches(['/', '#', '*', '-', ' ']).trim();
    if text.len() < 8 {
        return;
    }
    let gone = file.lines.iter().enumerate().find(|(i, l)| {
        l.is_removed() && l.text().trim() == text && (is_assertion(&l.code) || declared(file, *i).is_some())
    });
    if gone.is_some() {
        say(
            report,
            file,
            at,
            "commented-out-test",
            76,
            "A test, or what it asserts, is commented out, so what it \
            guards may break unseen. Mend it or remove it with a reason.",
        );
    }
}

/// Tests that went while what they test stays.
fn deleted(view: &View, file: &FileView, gone: &HashSet<String>, added: &HashSet<&str>, report: &mut Report) {
    let meant = view.says(&[
        "remove test",
        "delete test",
        "drop test",
        "removed test",
        "duplicate",
        "obsolete",
        "moved to",
        "move test",
        "moves test",
        "no longer support",
        "drop support",
        "remove support",
        "removes the ",
        "revert",
        "covered by",
        "deprecated",
    ]);
    let mut lost: Vec<usize> = Vec::new();
    for at in 0..file.lines.len() {
        let line = &file.lines[at];
        if !line.is_gone() {
            continue;
        }
        let Some(name) = declared(file, at) else { continue };
        if added.contains(name) || line.pair.is_some_and(|other| declared(file, other).is_some()) {
            continue;
        }
        if !subject_gone(file, at, gone) {
            lost.push(at);
        }
    }
    let Some(first) = lost.first().copied() else { return };
    let tables = pattern!(
        r"parametri[sz]e|\.each\b|\[TestCase|\[InlineData|\[Theory|ParameterizedTest|rstest|ValueSource
            |@dataProvider|DataProvider|TEST_P|for _, \w+ := range|subTest\(|test_each|where:"
    );
    if file.lines.iter().any(|l| l.is_new() && tables.is_match(&l.live)) {
        return;
    }
    let source_deleted = view.files.iter().any(|f| f.is_deleted_file() && !f.place.test && f.lang == file.lang);
    if file.is_deleted_file() && (source_deleted || view.files.iter().any(|f| f.is_new_file() && f.place.test)) {
        return;
    }
    // One test lost among others is a slip; many are the removal of something.
    let score = match lost.len() {
        _ if meant => 44,
        1..=3 => 68,
        4..=12 => 54,
        _ => 46,
    };
    say(
        report,
        file,
        first,
        "deleted-test",
        score,
        "A test is deleted, and what it tests stays. Put it back, or say why the behaviour need no longer hold.",
    );
}

/// The removed test speaks of something that the change removes.
fn subject_gone(file: &FileView, at: usize, gone: &HashSet<String>) -> bool {
    let hunk = file.hunks[file.lines[at].hunk].clone();
    let body = file.lines[at..hunk.end.min(at + 60)].iter().take_while(|l| l.is_removed() || l.is_blank());
    body.flat_map(|l| words_of(&l.line.text)).any(|word| gone.contains(word))
}

/// Settings that leave tests out.
fn switched_off(file: &FileView, report: &mut Report) {
    let off = pattern!(
        r"<skipTests>\s*true|<maven\.test\.skip>\s*true|<testFailureIgnore>\s*true|ignoreFailures\s*=\s*true
            |testFailureIgnore\s*=\s*true|--deselect[ =]|--ignore=\S*test|-k ['\x22]not |collect_ignore
            |\bpassWithNoTests\b|--passWithNoTests|-DskipTests|exclude.*[tT]est.*\b(?:flaky|slow|broken)"
    );
    for (at, line) in file.lines.iter().enumerate().filter(|(_, l)| l.is_new()) {
        if off.is_match(&line.live)
            && !file.pair_of(at).is_some_and(|old| off.is_match(&old.live))
            && !file.is_new_file()
        {
            say(
                report,
                file,
                at,
                "tests-left-out",
                64,
                "Tests are left out, or may fail, by this setting. Mend them, or remove them with a reason.",
            );
            return;
        }
    }
    let element = pattern!(r"^\s*['\x22][^'\x22]+['\x22],?\s*$");
    for (at, line) in file.lines.iter().enumerate().filter(|(_, l)| l.is_new()) {
        let list = file.above(at, 12).find(|l| l.indent() < line.indent());
        let ignores = list.is_some_and(|l| {
            pattern!(r"testPathIgnorePatterns|collect_ignore|norecursedirs|testIgnore|excludes?\s*[:=].*\[\s*$")
                .is_match(&l.live)
        });
        let tests = pattern!(r"(?i)jest|vitest|pytest|conftest|playwright|karma|mocha").is_match(file.path);
        if element.is_match(&line.live)
            && ignores
            && tests
            && !pattern!(r"node_modules|dist|build|e2e|fixtures|\.git|coverage").is_match(&line.live)
            && !file.is_new_file()
        {
            say(
                report,
                file,
                at,
                "tests-left-out",
                64,
                "Tests of this folder are no longer run. Mend them, or remove them with a reason.",
            );
            return;
        }
    }
    let floor = pattern!(
        r"(?i)(?:fail_under|fail-under|cov-fail-under|minimum_coverage|coverageThreshold|lines|branches|statements
            |functions|minimum)\b['\x22]?\s*[:=]?\s*(\d+(?:\.\d+)?)"
    );
    for (at, line) in file.lines.iter().enumerate().filter(|(_, l)| l.is_new()) {
        let (Some(new), Some(old)) = (floor.find(&line.live), file.pair_of(at).and_then(|old| floor.find(&old.live)))
        else {
            continue;
        };
        let coverage = pattern!(r"(?i)cover|fail.under|threshold|jacoco").is_match(&file.around(at, 8, 4));
        let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
        if coverage && number(new.group(1)) < number(old.group(1)) {
            say(
                report,
                file,
                at,
                "tests-left-out",
                60,
                "Less of the code needs to be covered by tests than before. Keep the bound and add the tests.",
            );
            return;
        }
    }
}

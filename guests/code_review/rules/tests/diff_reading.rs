use rules::diff::{parse, File, LineKind, Status};
use rules::{facts, mask_secrets, review, Change};

fn text(lines: &[&str]) -> Vec<u8> {
    (lines.join("\n") + "\n").into_bytes()
}

#[test]
fn reads_a_modified_file_with_numbers_of_both_sides() {
    let diff = parse(&text(&[
        "diff --git a/src/a b.rs b/src/a b.rs",
        "index 111..222 100644",
        "--- a/src/a b.rs\t",
        "+++ b/src/a b.rs\t",
        "@@ -3,3 +3,4 @@ fn main() {",
        " one",
        "--- two",
        "+++ three",
        "+four",
        " five",
        "\\ No newline at end of file",
    ]));

    let file = &diff.files[0];
    assert_eq!((file.path(), file.status, diff.truncated), ("src/a b.rs", Status::Modified, false));
    let hunk = &file.hunks[0];
    assert_eq!(hunk.context, "fn main() {");
    let lines: Vec<_> = hunk.lines.iter().map(|l| (l.kind, l.old, l.new, l.text.as_str())).collect();
    assert_eq!(
        lines,
        [
            (LineKind::Context, 3, 3, "one"),
            (LineKind::Removed, 4, 0, "-- two"),
            (LineKind::Added, 0, 4, "++ three"),
            (LineKind::Added, 0, 5, "four"),
            (LineKind::Context, 5, 6, "five"),
        ]
    );
    assert!(hunk.lines[4].no_newline && !hunk.lines[3].no_newline);
}

#[test]
fn reads_added_deleted_renamed_copied_binary_and_mode_changes() {
    let diff = parse(&text(&[
        "From 1234 Mon Sep 17 00:00:00 2001",
        "Subject: [PATCH] x",
        "diff --git a/new.txt b/new.txt",
        "new file mode 100755",
        "--- /dev/null",
        "+++ b/new.txt",
        "@@ -0,0 +1 @@",
        "+hello",
        "diff --git a/old.txt b/old.txt",
        "deleted file mode 100644",
        "--- a/old.txt",
        "+++ /dev/null",
        "@@ -1 +0,0 @@",
        "-hello",
        "diff --git a/a/x.c b/b/y.c",
        "similarity index 97%",
        "rename from a/x.c",
        "rename to b/y.c",
        "diff --git a/p.c b/q.c",
        "similarity index 100%",
        "copy from p.c",
        "copy to q.c",
        "diff --git a/logo.png b/logo.png",
        "index 1..2 100644",
        "Binary files a/logo.png and b/logo.png differ",
        "diff --git a/run.sh b/run.sh",
        "old mode 100644",
        "new mode 100755",
    ]));

    let seen: Vec<_> = diff.files.iter().map(|f| (f.status, f.old_path.as_deref(), f.new_path.as_deref())).collect();
    assert_eq!(
        seen,
        [
            (Status::Added, None, Some("new.txt")),
            (Status::Deleted, Some("old.txt"), None),
            (Status::Renamed, Some("a/x.c"), Some("b/y.c")),
            (Status::Copied, Some("p.c"), Some("q.c")),
            (Status::Modified, Some("logo.png"), Some("logo.png")),
            (Status::Modified, Some("run.sh"), Some("run.sh")),
        ]
    );
    assert_eq!(diff.files[2].similarity, Some(97));
    assert!(diff.files[4].binary);
    assert_eq!((diff.files[5].old_mode, diff.files[5].new_mode), (Some(0o100644), Some(0o100755)));
}

#[test]
fn undoes_quoting_and_keeps_names_that_are_no_utf_8_readable() {
    let diff = parse(&text(&[
        "diff --git \"a/gr\\303\\274n \\\"x\\\".txt\" \"b/gr\\303\\274n \\\"x\\\".txt\"",
        "index 1..2 100644",
        "--- \"a/gr\\303\\274n \\\"x\\\".txt\"",
        "+++ \"b/gr\\303\\274n \\\"x\\\".txt\"",
        "@@ -1 +1 @@",
        "-a",
        "+b",
        "diff --git \"a/bad\\377.txt\" \"b/bad\\377.txt\"",
        "new file mode 100644",
    ]));

    assert_eq!(diff.files[0].path(), "grün \"x\".txt");
    assert_eq!(diff.files[1].path(), "bad\u{fffd}.txt");
}

#[test]
fn reads_plain_unified_diffs_and_line_ends_of_windows() {
    let diff = parse(b"--- a/x.c\t2020-01-01\r\n+++ b/x.c\t2020-01-02\r\n@@ -1,2 +1,2 @@\r\n-a\r\n+b\r\n c\r\n");

    assert_eq!(diff.files[0].path(), "x.c");
    assert_eq!(diff.files[0].hunks[0].lines[1].text, "b");
}

#[test]
fn says_when_the_input_ends_in_a_hunk() {
    let diff = parse(b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n a\n+b");

    assert!(diff.truncated);
    assert_eq!(diff.files[0].hunks[0].lines.len(), 2);
}

#[test]
fn takes_the_patch_of_a_file_list() {
    let file = File::from_patch(Some("a.py"), Some("b.py"), Status::Renamed, b"@@ -1 +1 @@\n-x\n+y");

    assert_eq!((file.path(), file.added(), file.removed()), ("b.py", 1, 1));
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % below.max(1)
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let seed = text(&[
        "diff --git a/src/app.py b/src/app.py",
        "--- a/src/app.py",
        "+++ b/src/app.py",
        "@@ -1,4 +1,5 @@ def f(x):",
        " import os",
        "-    if not user.is_admin: raise Forbidden()",
        "+    os.system(f\"rm {x}\")",
        "+    password = \"hT7!kq92Lm#x\"",
        "     return \"\"\"é\"\"\"",
        "diff --git a/package.json b/package.json",
        "--- a/package.json",
        "+++ b/package.json",
        "@@ -1,2 +1,2 @@",
        " {",
        "-  \"a\": \"^1.0.0\"",
        "+  \"a\": \"git+https://x.example/a.git\"",
        "diff --git a/db/migrate/1_a.sql b/db/migrate/1_a.sql",
        "--- /dev/null",
        "+++ b/db/migrate/1_a.sql",
        "@@ -0,0 +1,2 @@",
        "+DROP TABLE x;",
        "+ALTER TABLE y ALTER COLUMN z TYPE int; -- 'é",
    ]);
    let mut dice = Dice(7);
    for round in 0..500 {
        let mut bytes = seed.clone();
        for _ in 0..dice.roll(12) {
            let at = dice.roll(bytes.len());
            match dice.roll(5) {
                0 => bytes[at] = dice.roll(256) as u8,
                1 => bytes.insert(at, b"\"'`/*#\\+-@ \n{}()$\xE9"[dice.roll(18)]),
                2 => bytes.truncate(at.max(1)),
                3 => {
                    let to = (at + dice.roll(40)).min(bytes.len());
                    let piece = bytes[at..to].to_vec();
                    let into = dice.roll(bytes.len());
                    bytes.splice(into..into, piece);
                }
                _ => {
                    bytes.remove(at);
                    if bytes.is_empty() {
                        bytes.push(0);
                    }
                }
            }
        }
        if round % 50 == 0 {
            bytes = (0..dice.roll(400)).map(|_| dice.roll(256) as u8).collect();
        }
        let diff = parse(&bytes);
        facts(&diff).size_sentence();
        review(&Change { title: "t", body: "b", diff: &diff });
        mask_secrets(&String::from_utf8_lossy(&bytes));
    }
}

//! Commands for a shell put together from strings, and arguments without quotes.

use super::constant::is_safe;
use super::dynamic::{dynamics, Dynamic};
use super::sql::{is_asked, is_sql, short};
use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::view::{FileView, View};

const QUOTERS: &[&str] = &[
    "quote",
    "escape",
    "sanitize",
    "shlex",
    "shq",
    "whitelist",
    "allowed",
    "validate",
    "executable",
    "execpath",
    "__dirname",
    "__dir__",
    "__file__",
    "cwd",
    "tmpdir",
    "tempdir",
    "mktemp",
    "mkdtemp",
    "gettempdir",
    "rails.root",
    "root_path",
    "pkg_dir",
];

const ADVICE: &str =
    "Hand the program and its arguments over as a list without a shell, or quote the value for the shell.";

pub fn find(view: &View, report: &mut Report) {
    for file in &view.files {
        let groovy = file.path.ends_with("Jenkinsfile");
        if file.place.is_harmless() || !file.lang.is_code() || (file.place.workflow && !groovy) {
            continue;
        }
        for at in 0..file.lines.len() {
            let source = &file.lines[at];
            if !source.is_new() || source.is_blank() {
                continue;
            }
            if file.lang == Lang::Shell {
                script_line(file, at, report);
            } else {
                let _ = call(file, at, report) || variable(file, at, report) || shell_switched_on(file, at, report);
            }
        }
    }
}

/// Build scripts and tools run on what their author gives them.
fn is_tooling(file: &FileView) -> bool {
    let path = file.path.to_ascii_lowercase();
    let dir = |name: &str| path.starts_with(&format!("{name}/")) || path.contains(&format!("/{name}/"));
    [
        "scripts",
        "script",
        "tools",
        "build",
        "ci",
        ".github",
        "hack",
        "benchmarks",
        "bench",
        "tasks",
        "dev",
        "contrib",
        "release",
        "packaging",
    ]
    .iter()
    .any(|name| dir(name))
        || [
            "setup.py",
            "gulpfile",
            "gruntfile",
            "rakefile",
            "webpack",
            "noxfile",
            "fabfile",
            "tasks.py",
            "conanfile",
            "build.rs",
        ]
        .iter()
        .any(|name| path.contains(name))
        || path.ends_with(".rake")
        || path.contains(".config.")
        || path.ends_with("release.js")
        || path.ends_with("build.js")
}

/// Calls that hand their first string to a shell.
fn is_sink(lang: Lang, before: &str) -> bool {
    let before = before.trim_end_matches(['$', '@', 'f', 'F', 'r', 'b', 'u', 'L']).trim_end();
    match lang {
        Lang::Python => pattern!(
            r"(?:os\.system|os\.popen|getoutput|getstatusoutput|create_subprocess_shell|exec_command|popen2
                |popen3)\s*\(\s*$"
        )
        .is_match(before),
        Lang::JavaScript | Lang::TypeScript => pattern!(
            r"(?:^|[^.\w])(?:(?:child_process|cp|shell|shelljs|childProcess|proc)\.)?(?:exec|execSync
                |execAsync|execPromise|execP|asyncExec|execaCommand|execaCommandSync)\s*(?:<[^>]*>)?\(\s*$
                |execa\.command(?:Sync)?\(\s*$|promisify\(exec\)\(\s*$"
        )
        .is_match(before),
        Lang::Ruby => pattern!(
            r"(?:^|[^.\w])(?:Kernel\.)?(?:system|exec|spawn|sh|popen)\s*\(?\s*$|IO\.popen\(\s*$
            |Open3\.\w+\(\s*$"
        )
        .is_match(before),
        Lang::Php => {
            pattern!(r"(?:^|[^\w>:$])(?:exec|shell_exec|system|passthru|popen|proc_open)\s*\(\s*$").is_match(before)
        }
        Lang::Java | Lang::Kotlin | Lang::Scala | Lang::Groovy => {
            pattern!(r"(?:getRuntime\(\)|[rR]untime|\brt)\.exec\(\s*$|(?:^|\s)sh\s*\(?\s*(?:script:\s*)?$")
                .is_match(before)
        }
        Lang::Perl => pattern!(r"(?:^|\W)(?:system|exec)\s*\(?\s*$|\bopen\s*\(?.*,\s*$").is_match(before),
        Lang::Lua => pattern!(r"(?:os\.execute|io\.popen)\s*\(?\s*$").is_match(before),
        Lang::C | Lang::Cpp | Lang::ObjectiveC => pattern!(
            r"(?:^|[^\w.>])(?:std::)?(?:system|popen|_popen|wsystem
            |_wsystem)\s*\(\s*(?:\(\s*)?(?:std::string\()?$"
        )
        .is_match(before),
        Lang::Elixir => pattern!(r"(?::os\.cmd|System\.shell)\(\s*$").is_match(before),
        Lang::PowerShell => pattern!(r"(?i)(?:invoke-expression|\biex|cmd(?:\.exe)?\s+/c)\s*\(?\s*$").is_match(before),
        _ => false,
    }
}

/// `sh -c` in a list of arguments: what follows is a command.
fn follows_shell(before: &str) -> bool {
    pattern!(
        r#"["'](?:-l?e?c|/c|/C|-Command|-command)["']\s*\]?[,)]*\s*(?:\.arg\(|\.args\(\[?|\[)?\s*(?:format!\(
        |fmt\.Sprintf\(|String\.format\(|&|\$|@|f|string\.Format\()*["'`]?$"#
    )
    .is_match(before)
}

fn call(file: &FileView, at: usize, report: &mut Report) -> bool {
    let source = &file.lines[at];
    if source.strings.is_empty() {
        return false;
    }
    for part in dynamics(file, at) {
        let shell_text = reads_like_shell(file, at, &part);
        if is_sql(&part.literal)
            || !(shell_text || runs(file, at, &part))
            || is_safe(file, at, &part.expression, QUOTERS)
        {
            continue;
        }
        return say(file, at, &part.expression, report);
    }
    false
}

/// A pipe into a well-known program, a redirection, or a command for a variable that is named so: text for a shell,
/// wherever it is run.
fn reads_like_shell(file: &FileView, at: usize, part: &Dynamic) -> bool {
    let line = &file.lines[at];
    let pipeline = pattern!(
        r"^\s*[\w./-]+\s.*(?:\|\s*(?:grep|awk|sed|tail|head|sort|xargs|wc|cut|tee|sh|bash|tr|uniq|gzip|gunzip|tar
            |jq)\b|2>\s*/dev/null|2>&1|&&\s+[a-z][\w-]*\s)"
    );
    let command = pattern!(r"^\s*[a-z][\w./-]*\s+(?:.*\s)?(?:-{1,2}\w[\w-]*|'%s'|\x22%s\x22)");
    let named =
        pattern!(r"(?i)\b\w*(?:cmd|command|cmdline)\w*\s*(?:\[\w*\])?\s*=|n?printf\s*\(\s*&?\w*(?:cmd|command)");
    let message = pattern!(
        r"(?i)\b(?:log|logger|print|println|echo|warn|info|debug|error|usage|help|raise|throw|panic|message
            |description|title|assert\w*|expect)\b\s*[(:.=!]"
    );
    if message.is_match(&line.code) || file.place.workflow {
        return false;
    }
    let c = file.lang.is_c();
    pipeline.is_match(&part.literal) || (c && command.is_match(&part.literal) && named.is_match(&line.code))
}

fn say(file: &FileView, at: usize, expression: &str, report: &mut Report) -> bool {
    let asked = is_asked(expression);
    if is_tooling(file) && !asked {
        return false;
    }
    let quoted = pattern!(r"(?i)quote|escape|shlex").is_match(file.pair_of(at).map_or("", |old| old.text()));
    let score = 76 + if asked { 8 } else { 0 } + if quoted { 10 } else { 0 };
    let message = format!(
        "`{}` is put into a command line that a shell reads; characters in it can run other commands. {ADVICE}",
        short(expression)
    );
    report.add(file, at, Kind::ShellInjection, "command-from-strings", Severity::High, score, message);
    true
}

/// The literal is the command of a call on this line, or on the line above.
fn runs(file: &FileView, at: usize, part: &Dynamic) -> bool {
    let source = &file.lines[at];
    let quote = part.column.saturating_sub(1);
    let before = source.code.get(..quote).unwrap_or("");
    let live = source.live.get(..quote).unwrap_or("");
    let backtick = source.text().as_bytes().get(quote) == Some(&b'`');
    if backtick && matches!(file.lang, Lang::Ruby | Lang::Php | Lang::Perl) {
        return true;
    }
    let above: Option<&str> = file.above(at, 1).next().map(|l| l.code.trim_end());
    let begins = before.trim().trim_end_matches(['f', 'F', '$', '@', 'r']).is_empty();
    if is_sink(file.lang, before) || (begins && above.is_some_and(|line| is_sink(file.lang, line))) {
        return !has_list(file.lang, source.code.get(part.column + part.literal.len()..).unwrap_or(""));
    }
    let shells = pattern!(r#"(?i)["'/](?:ba|da|z|k)?sh["']|["'/\\]cmd(?:\.exe)?["']|powershell|\bpwsh\b"#);
    if follows_shell(live) && shells.is_match(&file.around(at, 5, 1)) {
        return true;
    }
    let near: String =
        file.above(at, 4).map(|l| l.live.trim()).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(" ");
    if pattern!(
        r#"["'](?:ba|z|da)?sh["'].*["']-l?e?c["']|/bin/(?:ba)?sh["'].*["']-c["']
            |["']cmd(?:\.exe)?["'].*["']/[cC]["']"#
    )
    .is_match(&format!("{near} {live}"))
        && (begins || live.trim_end().ends_with(".arg(") || live.contains("Sprintf(") || live.contains("format!("))
    {
        return true;
    }
    if file.lang == Lang::CSharp {
        let shell = pattern!(r#"(?i)(?:cmd(?:\.exe)?|/bin/(?:ba)?sh|"(?:ba)?sh|powershell(?:\.exe)?|pwsh)""#);
        let given = pattern!(r"(?:Process\.Start\(.*,\s*\$?@?|Arguments\s*=\s*\$?@?)$").is_match(before);
        return given && shell.is_match(&file.around(at, 6, 6));
    }
    let shell_on = pattern!(r"shell\s*[=:]\s*[Tt]rue");
    let opens = pattern!(
        r"(?:subprocess\.)?(?:run|call|Popen|check_call|check_output)\(\s*f?$|(?:spawn|spawnSync|execFile
            |execFileSync)\(\s*$|create_subprocess_shell\(\s*f?$"
    );
    let opened = opens.is_match(before) || (begins && above.is_some_and(|line| opens.is_match(line)));
    opened
        && file.below(at, 8).map(|l| l.code.as_str()).chain([source.code.as_str()]).any(|code| shell_on.is_match(code))
}

/// More arguments behind the command: then no shell reads it in Ruby and Perl.
fn has_list(lang: Lang, after: &str) -> bool {
    matches!(lang, Lang::Ruby | Lang::Perl)
        && pattern!(r#"^["'`]?\s*,\s*["'$\w*]"#).is_match(after)
        && !pattern!(r#"^["'`]?\s*,\s*\w+:"#).is_match(after)
}

/// A call that runs a variable which was put together above.
fn variable(file: &FileView, at: usize, report: &mut Report) -> bool {
    let source = &file.lines[at];
    let code = source.code.as_str();
    let argument = pattern!(
        r"([\w.:>-]+)\s*\(\s*\$?&?\*?([A-Za-z_]\w*)(?:\.c_str\(\)|\.data\(\)|\.str\(\)\.c_str\(\)|\.toString\(\)
            |\.String\(\))?\s*([,)].*)?$"
    );
    let shelled = pattern!(r#"["'](?:-l?e?c|/c|/C)["']\s*\]?,?\s*\)?\s*(?:\.arg\()?\s*\$?&?([A-Za-z_]\w*)\s*[,)\]}]"#);
    let named = pattern!(r#"(?i)["'/](?:ba|da|z|k)?sh["']|["'/\\]cmd(?:\.exe)?["']|powershell|\bpwsh\b"#);
    let name = if let Some(hit) = shelled.find(&source.live).filter(|_| named.is_match(&file.around(at, 4, 1))) {
        hit.group(1).to_owned()
    } else {
        let Some(hit) = argument.find(code) else { return false };
        let head = &code[..hit.group_start(2).unwrap_or(0)];
        let head = head.trim_end_matches(['$', '&', '*']);
        let python =
            file.lang == Lang::Python && pattern!(r"(?:run|call|Popen|check_call|check_output)\(\s*$").is_match(head);
        let on =
            pattern!(r"shell\s*=\s*True").is_match(code) || file.below(at, 5).any(|l| l.code.contains("shell=True"));
        let go = file.lang == Lang::Go || file.lang == Lang::Rust;
        if go || !(is_sink(file.lang, head) || (python && on)) || has_list(file.lang, hit.group(3)) {
            return false;
        }
        hit.group(2).to_owned()
    };
    let Some((line, expression)) = built_above(file, at, &name) else { return false };
    if is_sql(file.lines[line].text()) {
        return false;
    }
    say(file, if file.lines[line].is_new() { line } else { at }, &expression, report)
}

/// Where a variable gets a string with something unsafe in it.
fn built_above(file: &FileView, at: usize, name: &str) -> Option<(usize, String)> {
    let hunk = file.hunks[file.lines[at].hunk].clone();
    let from = hunk.start.max(at.saturating_sub(40));
    let builds =
        pattern!(r"(?:sn?printf|strcat|strncat|strcpy|append|asprintf|vsnprintf|_stprintf|wsprintf)\s*\(\s*&?\w*");
    let mut open = 0;
    for number in (from..at).rev() {
        let line = &file.lines[number];
        open += 1;
        if line.is_removed() || open > 40 || !line.code.contains(name) {
            continue;
        }
        let assigned =
            line.code.split_once('=').is_some_and(|(left, right)| left.contains(name) && !right.starts_with('='));
        let called = builds.is_match(&line.code)
            && line.code.split('(').nth(1).is_some_and(|args| args.trim_start_matches(['&', ' ']).starts_with(name));
        let streamed = line.code.trim_start().starts_with(name) && line.code.contains("<<");
        if !assigned && !called && !streamed {
            continue;
        }
        for near in number..(number + 4).min(at) {
            if near > number && file.lines[near - 1].code.trim_end().ends_with(';') {
                break;
            }
            if file.lines[near].is_removed() {
                continue;
            }
            if let Some(part) = dynamics(file, near).into_iter().find(|p| !is_safe(file, near, &p.expression, QUOTERS))
            {
                return Some((near, part.expression));
            }
        }
        let joined = pattern!(r"(?:strcat|strncat)\s*\([^,]+,\s*([A-Za-z_][\w>.-]*)").find(&line.code);
        if let Some(hit) = joined.filter(|hit| !is_safe(file, number, hit.group(1), QUOTERS)) {
            return Some((number, hit.group(1).to_owned()));
        }
    }
    None
}

/// `shell=False`, or a list, became `shell=True`.
fn shell_switched_on(file: &FileView, at: usize, report: &mut Report) -> bool {
    let on = pattern!(r"\bshell\s*[=:]\s*[Tt]rue\b");
    let source = &file.lines[at];
    if !on.is_match(&source.code) {
        return false;
    }
    let block = file.blocks.iter().find(|b| b.lines.contains(&at));
    let was = block.is_some_and(|b| {
        b.removed
            .iter()
            .any(|i| pattern!(r"\bshell\s*[=:]\s*[Ff]alse|subprocess|spawn|exec|\[").is_match(&file.lines[*i].code))
    });
    let constant = source.strings.iter().any(|s| source.string(s).contains(' ')) && dynamics(file, at).is_empty();
    if !was || constant || is_tooling(file) {
        return false;
    }
    let message =
        format!("The command now goes through a shell, so what its arguments hold is read as shell text. {ADVICE}");
    report.add(file, at, Kind::ShellInjection, "shell-switched-on", Severity::High, 72, message);
    true
}

fn script_line(file: &FileView, at: usize, report: &mut Report) {
    let source = &file.lines[at];
    let live = source.live.as_str();
    let trimmed = live.trim();
    if lost_quotes(file, at, report) {
        return;
    }
    let evaluated = pattern!(r#"(?:^|[;&|]|\bthen|\bdo)\s*eval\s+(.*)"#);
    if let Some(hit) = evaluated.find(trimmed) {
        let value = hit.group(1);
        let command = pattern!(r#"^["']?[$`]\(?(?:\(|[a-z])"#).is_match(value)
            && !value.starts_with("\"$1")
            && value.contains("$(");
        let unsafe_part = pattern!(r#"\$\{?(?:[A-Za-z_]\w*|[1-9@*])"#).is_match(value);
        if unsafe_part && !command && !value.contains("%q") && !value.contains("printf -v") {
            let message = "`eval` runs the value of a variable as shell text. Call the command with its arguments \
                in an array instead.";
            report.add(file, at, Kind::ShellInjection, "eval-of-variable", Severity::High, 64, message.to_owned());
        }
        return;
    }
    let inner = pattern!(
        r#"\b(?:(?:ba|da|z)?sh\s+(?:-\w+\s+)*-\w*c|su\s+.*-c|ssh\s+[^"']*|xargs\s.*sh\s+-c|python3?\s+-c|node\s+-e
            |perl\s+-e|ruby\s+-e|psql\s.*-c)\s+["']"#
    );
    let Some(hit) = inner.find(live) else { return rm_without_quotes(file, at, report) };
    let Some(quoted) = source.strings.iter().find(|s| s.start == hit.end()) else { return };
    let text = source.string(quoted);
    if is_sql(text) {
        return;
    }
    let pasted = pattern!(r"\$\{?([a-zA-Z_]\w*|[1-9@*])");
    let found = if quoted.quote == b'"' {
        let hit = pasted.all(text).into_iter().find(|h| {
            let name = h.group(1);
            let constant =
                name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit()) && name.len() > 1;
            !text[..h.start()].ends_with('\\') && !constant && !is_safe_shell(file, at, name)
        });
        hit.map(|h| h.group(1).to_owned())
    } else {
        (text.contains("{}") && (live.contains("xargs") || live.contains("-exec"))).then(|| "{}".to_owned())
    };
    if let Some(name) = found {
        let message = format!(
            "`{name}` is put into the text of another shell's command. Pass it as an argument \
            (`sh -c '… \"$1\"' _ \"$value\"`), or quote it with printf %q."
        );
        report.add(file, at, Kind::ShellInjection, "command-from-strings", Severity::High, 66, message);
    }
}

fn is_safe_shell(file: &FileView, at: usize, name: &str) -> bool {
    let constant = format!("{name}=");
    file.above(at, 60).any(|l| {
        let live =
            l.live.trim().trim_start_matches("local ").trim_start_matches("readonly ").trim_start_matches("declare ");
        live.strip_prefix(constant.as_str())
            .is_some_and(|v| !v.contains('$') || v.contains("%q") || v.contains("mktemp") || v.contains("date"))
            || (live.contains("printf -v") && live.contains(name))
            || (live.starts_with("for ") && live.contains(&format!("for {name} in")) && !live.contains('$'))
            || (live.contains("=~") && live.contains(name))
            || (live.starts_with("case") && live.contains(name))
    })
}

/// The same words as before, but a `"$x"` lost its quotes.
fn lost_quotes(file: &FileView, at: usize, report: &mut Report) -> bool {
    let source = &file.lines[at];
    let Some(old) = file.pair_of(at) else { return false };
    let quoted = pattern!(r#""(\$\{?[\w@*]+\}?)""#);
    let code = source.code.as_str();
    let lost = quoted.all(&old.live).into_iter().map(|h| h.group(1).to_owned()).find(|variable| {
        let whole = code.match_indices(variable.as_str()).any(|(i, _)| {
            let next = code[i + variable.len()..].chars().next();
            let before = code[..i].chars().next_back();
            next.is_none_or(|c| c == ' ' || c == ';' || c == ')' || c == '/')
                && before.is_none_or(|c| c == ' ' || c == '(')
        });
        whole && !code.contains("[[") && !code.trim_start().starts_with("case")
    });
    let Some(variable) = lost else { return false };
    let message = format!(
        "`{variable}` lost its quotes: blanks, `*` and an empty value now change the command. Write \"{variable}\"."
    );
    report.add(file, at, Kind::ShellInjection, "lost-quotes", Severity::Medium, 72, message);
    true
}

fn rm_without_quotes(file: &FileView, at: usize, report: &mut Report) {
    let code = file.lines[at].code.as_str();
    let removes = pattern!(
        r"(?:^|[;&|(]|\bthen|\bdo|\bsudo)\s*rm\s+(?:-\w+\s+)*(?:[^\s;&|$]*\s+)*(\$\{?([A-Za-z_]\w*|[1-9@*])\}?)"
    );
    let arguments = pattern!(r"(?:^|[;&|(]|\bexec)\s*[\w./-]+\s[^=\[]*(\$(?:@|\*))(?:\s|$)");
    if let Some(hit) = removes.find(code) {
        let name = hit.group(2);
        let is_option = pattern!(r"(?i)^(?:opts?|flags?|args?)$").is_match(name);
        if !is_safe_shell(file, at, name) && !is_option {
            let message = format!(
                "`{0}` stands without quotes behind `rm`: a blank, a `*` or an empty value makes \
                it remove something else. Write \"{0}\", and stop if it is empty.",
                hit.group(1)
            );
            report.add(file, at, Kind::ShellInjection, "unquoted-argument", Severity::Medium, 60, message);
        }
    } else if let Some(hit) = arguments.find(code) {
        let message = format!(
            "`{0}` without quotes splits arguments at their blanks and expands `*` in them. Write \"$@\".",
            hit.group(1)
        );
        report.add(file, at, Kind::ShellInjection, "unquoted-argument", Severity::Medium, 58, message);
    }
}

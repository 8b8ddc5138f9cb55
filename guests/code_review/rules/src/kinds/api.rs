//! Public interfaces that callers, peers or stored data rely on: names, parameters, defaults, fields, numbers.

use std::collections::HashSet;

use super::wire::{list_of_exports, named_outside, package, proto, schema, wire_name};
use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::symbols::{Declarations, Symbol};
use crate::view::{words_of, FileView, View};

pub fn find(view: &View, report: &mut Report) {
    let announced = view.says(&[
        "breaking",
        "!:",
        "major version",
        "remove deprecated",
        "removes deprecated",
        "deprecated",
        "drop support",
        "drops support",
        "semver-major",
        "next major",
        "migration guide",
        "unused",
        "internal",
    ]);
    let declarations = Declarations::new();
    let used = used_words(view);
    for file in &view.files {
        let place = file.place;
        if place.is_harmless() || place.migration || place.workflow || place.lock {
            continue;
        }
        if file.lang == Lang::Proto {
            proto(file, report);
            continue;
        }
        if file.path.ends_with("package.json") && file.lang == Lang::Json {
            package(file, announced, report);
        }
        if file.lang == Lang::GraphQl || file.path.contains("openapi") || file.path.contains("swagger") {
            schema(view, file, announced, report);
        }
        if !file.lang.is_code() {
            continue;
        }
        for at in 0..file.lines.len() {
            if file.lines[at].is_new() {
                let _ = wire_name(file, at, announced, report) || named_outside(view, file, at, announced, report);
            } else if file.lines[at].is_gone() {
                list_of_exports(view, file, at, announced, report);
            }
        }
        if !file.is_deleted_file() && is_library(file) {
            symbols(view, file, &declarations, &used, announced, report);
        }
    }
}

pub fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: String) -> bool {
    let severity = if score >= 72 { Severity::High } else { Severity::Medium };
    report.add(file, at, Kind::ApiBreak, rule, severity, score, message);
    true
}

/// Code that others are likely to call from outside the repository.
pub fn is_library(file: &FileView) -> bool {
    let lower = file.path.to_ascii_lowercase();
    let (dirs, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    const OWN: &[&str] = &[
        "internal",
        "_internal",
        "impl",
        "private",
        "cmd",
        "app",
        "apps",
        "pages",
        "components",
        "views",
        "controllers",
        "handlers",
        "routes",
        "services",
        "service",
        "scripts",
        "tools",
        "bin",
        "cli",
        "server",
        "backend",
        "frontend",
        "web",
        "ui",
        "jobs",
        "tasks",
        "admin",
        "screens",
        "hooks",
        "store",
        "stores",
        "repositories",
        "repository",
        "models",
        "entities",
        "benches",
        "benchmarks",
        "build",
        "config",
        "main",
        "activities",
        "fragments",
        "viewmodels",
        "resolvers",
        "workers",
        "worker",
        "util",
        "utils",
        "helpers",
        "compiler",
        "plugins",
    ];
    let own = dirs.split('/').any(|d| OWN.contains(&d) || (d.starts_with('_') && d.len() > 1))
        && !lower.contains("src/main/java")
        && !lower.contains("src/main/kotlin")
        || dirs.split('/').any(|d| matches!(d, "internal" | "impl" | "private"));
    !own && !name.starts_with('_')
        && !name.starts_with("main.")
        && !name.contains("controller")
        && !name.contains("handler")
        && !name.contains("util")
}

fn symbols(
    view: &View,
    file: &FileView,
    declarations: &Declarations,
    used: &HashSet<&str>,
    announced: bool,
    report: &mut Report,
) {
    let all = |added: bool| -> Vec<(usize, Symbol)> {
        let lines = file.lines.iter().enumerate().filter(|(_, l)| if added { l.is_added() } else { l.is_removed() });
        lines.filter_map(|(at, l)| declarations.of(file.lang, &l.code).map(|s| (at, s))).collect()
    };
    let (old, new) = (all(false), all(true));
    // Many at once is a rewrite, and its author knows.
    if old.len() > 12 {
        return;
    }
    for (at, symbol) in &old {
        if is_hidden(file, *at, symbol.name) || file.lines[*at].moved {
            continue;
        }
        let same: Vec<&(usize, Symbol)> = new.iter().filter(|(_, s)| s.name == symbol.name).collect();
        if hidden_now(view, file, *at, symbol, announced, report) {
            continue;
        }
        match same.as_slice() {
            [] => renamed(view, file, *at, symbol, &new, announced, report),
            [(now, other)] if symbol.is_function => {
                signature(file, *at, *now, symbol, used.contains(symbol.name), announced, report)
            }
            _ => {}
        }
    }
}

/// Public before, and no longer.
fn hidden_now(view: &View, file: &FileView, at: usize, symbol: &Symbol, announced: bool, report: &mut Report) -> bool {
    let Some(now) = file.lines[at].pair else { return false };
    let public = pattern!(r"\b(?:public|open|export|pub)\b");
    let restricted = pattern!(r"\bpub\((?:crate|super|in )");
    let (old, new) = (file.lines[at].code.as_str(), file.lines[now].code.as_str());
    let lost = public.is_match(old)
        && (!public.is_match(new) || restricted.is_match(new))
        && words_of(new).any(|w| w == symbol.name);
    let declared = symbol.is_function
        || pattern!(r"\b(?:class|interface|enum|struct|record|trait|type|const|let)\b").is_match(new);
    if announced
        || !lost
        || !declared
        || view.adds_word(symbol.name)
            && file.lang.is_script()
            && file.lines.iter().any(|l| l.is_added() && l.code.contains("export {"))
    {
        return false;
    }
    let message = format!(
        "`{}` was public and no longer is: callers elsewhere no longer build. Keep it public, marked as deprecated.",
        symbol.name
    );
    say(report, file, now, "hidden-symbol", 62, message)
}

/// Methods of what is private, test doubles, dunder methods.
fn is_hidden(file: &FileView, at: usize, name: &str) -> bool {
    let line = &file.lines[at];
    if file.lang == Lang::Python && line.indent() > 0 {
        let class = file.above(at, 400).find(|l| pattern!(r"^class\s").is_match(&l.code)).map(|l| l.code.clone());
        let context = file.context_of(at);
        let owner = class.as_deref().unwrap_or(context);
        return name.starts_with('_')
            || pattern!(r"^class\s+_").is_match(owner)
            || pattern!(r"^\s*(?:async )?def\s").is_match(owner);
    }
    if file.lang == Lang::Go && pattern!(r"^func \(\w* ?\*?[a-z]").is_match(&line.code) {
        return true;
    }
    name.len() < 3
        || matches!(name, "main" | "init" | "setup" | "new" | "toString" | "equals" | "hashCode" | "default" | "run")
}

#[allow(clippy::too_many_arguments)]
fn renamed(
    view: &View,
    file: &FileView,
    at: usize,
    symbol: &Symbol,
    new: &[(usize, Symbol)],
    announced: bool,
    report: &mut Report,
) {
    // The name lives on: moved, re-exported, kept as an alias, or still used by what is added.
    if view.adds_word(symbol.name) || announced {
        return;
    }
    let paired = file.lines[at].pair;
    let follower = new.iter().find(|(now, s)| paired == Some(*now) && s.is_function == symbol.is_function);
    let Some((now, other)) = follower else { return };
    let same_parameters =
        symbol.rest.split_whitespace().collect::<String>() == other.rest.split_whitespace().collect::<String>();
    if !same_parameters && symbol.is_function {
        return;
    }
    let message = format!(
        "The public `{}` is now `{}`, and nothing keeps the old name: callers elsewhere no longer \
        build. Keep an alias that is marked as deprecated.",
        symbol.name, other.name
    );
    say(report, file, *now, "renamed-symbol", 62, message);
}

#[allow(clippy::too_many_arguments)]
fn signature(file: &FileView, at: usize, now: usize, old: &Symbol, called: bool, announced: bool, report: &mut Report) {
    if announced {
        return;
    }
    let (old_code, new_code) = (&file.lines[at].code, &file.lines[now].code);
    let narrower =
        pattern!(r"\b(?:internal|private|protected|pub\(crate\)|pub\(super\)|fileprivate|package-private)\b");
    if narrower.is_match(new_code) && !narrower.is_match(old_code) {
        return;
    }
    let (Some(before), Some(after)) = (parameters(file, at), parameters(file, now)) else { return };
    if before == after || before.len() > 12 {
        return;
    }
    let defaults = changed_default(&before, &after);
    if let Some((name, was, is)) = defaults {
        let message = format!(
            "The default of `{name}` in `{}` goes from `{was}` to `{is}`: callers that do not \
            give it get other behaviour without a word. Keep the default, or make it a new name.",
            old.name
        );
        say(report, file, now, "changed-default", 64, message);
        return;
    }
    let names: Vec<&str> = before.iter().map(|p| p.name.as_str()).collect();
    let added: Vec<&Parameter> = after.iter().filter(|p| !names.contains(&p.name.as_str())).collect();
    let required = added.iter().find(|p| p.default.is_none() && !p.optional);
    let all_kept = before.iter().all(|p| after.iter().any(|q| q.name == p.name));
    // Callers mended in the same change show a function of the project's own.
    if let Some(parameter) = required.filter(|_| all_kept && after.len() > before.len() && !called) {
        let message = format!(
            "`{}` now needs `{}`, so callers elsewhere no longer build. Give it a default, or add a second function.",
            old.name, parameter.name
        );
        say(report, file, now, "required-parameter", 58, message);
        return;
    }
    let made_required = after.iter().find(|p| {
        p.default.is_none()
            && !p.optional
            && before.iter().any(|q| q.name == p.name && (q.default.is_some() || q.optional))
    });
    if let Some(parameter) = made_required {
        let message = format!(
            "`{}` of `{}` had a default and no longer has: callers that left it out break. Keep the default.",
            parameter.name, old.name
        );
        say(report, file, now, "required-parameter", 66, message);
        return;
    }
    if file.lang == Lang::Python && before.len() == after.len() {
        let differing: Vec<(&Parameter, &Parameter)> =
            before.iter().zip(&after).filter(|(a, b)| a.name != b.name).collect();
        if let [(a, b)] = differing.as_slice() {
            if a.default.is_some() && a.default == b.default {
                let message = format!(
                    "The parameter `{}` of `{}` is now `{}`: callers that give it by name break. \
                    Accept the old name too for a while.",
                    a.name, old.name, b.name
                );
                say(report, file, now, "renamed-parameter", 64, message);
            }
        }
    }
}

/// Words on added lines, and on those where a call over lines begins, that use names rather than declare them.
fn used_words<'v>(view: &'v View) -> HashSet<&'v str> {
    let files = view.files.iter().filter(|f| f.lang.is_code() && !f.place.test && !f.place.docs);
    files
        .flat_map(|f| &f.lines)
        .filter(|l| (l.is_added() || !l.is_removed() && l.code.trim_end().ends_with('(')) && is_use(l))
        .flat_map(|l| words_of(&l.code))
        .collect()
}

/// A line that uses a name rather than declares it.
fn is_use(line: &crate::view::Source) -> bool {
    !pattern!(r"\b(?:def|fn|func|function|fun)\s|^\s*(?:export|public|protected|private|internal|static)\b")
        .is_match(&line.code)
}

#[derive(Debug, PartialEq, Eq, Clone)]
struct Parameter {
    name: String,
    default: Option<String>,
    optional: bool,
}

/// The parameters of the function declared at a line, also over lines; None if they cannot be told.
fn parameters(file: &FileView, at: usize) -> Option<Vec<Parameter>> {
    let line = &file.lines[at];
    let mut text = line.live.trim().to_owned();
    let removed = line.is_removed();
    let mut next = at + 1;
    while text.matches('(').count() > text.matches(')').count() && next < file.lines.len() && next < at + 14 {
        let other = &file.lines[next];
        next += 1;
        if other.hunk != line.hunk {
            return None;
        }
        if if removed { other.is_added() } else { other.is_removed() } {
            continue;
        }
        text.push(' ');
        text.push_str(other.live.trim());
    }
    let receiver = file.lang == Lang::Go && text.starts_with("func (");
    let from = if receiver { text[6..].find('(').map(|i| i + 6)? } else { text.find('(')? };
    let mut depth = 0;
    let mut end = None;
    for (i, c) in text.char_indices().skip_while(|(i, _)| *i < from) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    end = Some(i);
                    break;
                }
            }
            _ => {}
        }
    }
    let inner = &text[from + 1..end?];
    Some(split(inner).into_iter().filter_map(|part| parameter(file.lang, part)).collect())
}

fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if !text[..at].ends_with(['-', '=']) => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn parameter(lang: Lang, part: &str) -> Option<Parameter> {
    let part = part.trim();
    let (head, default) = match part.split_once('=') {
        Some((head, value)) if !value.starts_with(['>', '=']) => (head.trim(), Some(value.trim().to_owned())),
        _ => (part, None),
    };
    let optional = head.contains('?') && lang.is_script()
        || head.starts_with(['*', '&']) && !matches!(lang, Lang::C | Lang::Cpp | Lang::Go | Lang::Rust)
        || head.contains("...")
        || head.starts_with("params ")
        || lang == Lang::Ruby && head.starts_with("**");
    let name = match lang {
        Lang::Java | Lang::CSharp | Lang::C | Lang::Cpp | Lang::Dart => words_of(head).last(),
        Lang::Php => words_of(head).find(|w| w.starts_with('$')),
        Lang::Kotlin => words_of(head.trim_start_matches("vararg ")).next(),
        _ => words_of(head).find(|w| !matches!(*w, "mut" | "ref" | "readonly" | "private" | "public" | "const")),
    }?;
    if matches!(name, "self" | "cls" | "this") || name.starts_with('_') && name.len() == 1 {
        return None;
    }
    Some(Parameter { name: name.to_owned(), default, optional })
}

fn changed_default(before: &[Parameter], after: &[Parameter]) -> Option<(String, String, String)> {
    for old in before {
        let Some(new) = after.iter().find(|p| p.name == old.name) else { continue };
        if let (Some(was), Some(is)) = (&old.default, &new.default) {
            let plain =
                |text: &str| pattern!(r#"^(?:-?\d[\d_.]*|True|False|true|false|["'][^"']*["'])$"#).is_match(text);
            if was != is && plain(was) && plain(is) {
                return Some((old.name.clone(), was.clone(), is.clone()));
            }
        }
    }
    None
}

//! Public interfaces that callers, peers or stored data rely on: names, parameters, defaults, fields, numbers.

use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::symbols::{Declarations, Symbol};
use crate::view::{words_of, FileView, View};

pub fn find(view: &View, report: &mut Report) {
    let announced = view.says(&["breaking", "!:", "major version", "remove deprecated", "removes deprecated", "deprecated", "drop support", "drops support", "semver-major", "next major", "migration guide", "unused", "internal"]);
    let declarations = Declarations::new();
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
            symbols(view, file, &declarations, announced, report);
        }
    }
}

fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: String) -> bool {
    let severity = if score >= 72 { Severity::High } else { Severity::Medium };
    report.add(file, at, Kind::ApiBreak, rule, severity, score, message);
    true
}

/// Code that others are likely to call from outside the repository.
fn is_library(file: &FileView) -> bool {
    let lower = file.path.to_ascii_lowercase();
    let (dirs, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    const OWN: &[&str] = &[
        "internal", "_internal", "impl", "private", "cmd", "app", "apps", "pages", "components", "views", "controllers", "handlers", "routes",
        "services", "service", "scripts", "tools", "bin", "cli", "server", "backend", "frontend", "web", "ui", "jobs", "tasks", "admin",
        "screens", "hooks", "store", "stores", "repositories", "repository", "models", "entities", "benches", "benchmarks", "build",
        "config", "main", "activities", "fragments", "viewmodels", "resolvers", "workers", "worker", "util", "utils", "helpers", "compiler", "plugins",
    ];
    let own = dirs.split('/').any(|d| OWN.contains(&d) || (d.starts_with('_') && d.len() > 1)) && !lower.contains("src/main/java") && !lower.contains("src/main/kotlin")
        || dirs.split('/').any(|d| matches!(d, "internal" | "impl" | "private"));
    !own && !name.starts_with('_') && !name.starts_with("main.") && !name.contains("controller") && !name.contains("handler") && !name.contains("util")
}

fn symbols(view: &View, file: &FileView, declarations: &Declarations, announced: bool, report: &mut Report) {
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
            [(now, other)] if symbol.is_function => signature(view, file, *at, *now, symbol, other, announced, report),
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
    let lost = public.is_match(old) && (!public.is_match(new) || restricted.is_match(new)) && words_of(new).any(|w| w == symbol.name);
    let declared = symbol.is_function || pattern!(r"\b(?:class|interface|enum|struct|record|trait|type|const|let)\b").is_match(new);
    if announced || !lost || !declared || view.adds_word(symbol.name) && file.lang.is_script() && file.lines.iter().any(|l| l.is_added() && l.code.contains("export {")) {
        return false;
    }
    let message = format!("`{}` was public and no longer is: callers elsewhere no longer build. Keep it public, marked as deprecated.", symbol.name);
    say(report, file, now, "hidden-symbol", 62, message)
}

/// Methods of what is private, test doubles, dunder methods.
fn is_hidden(file: &FileView, at: usize, name: &str) -> bool {
    let line = &file.lines[at];
    if file.lang == Lang::Python && line.indent() > 0 {
        let class = file.above(at, 400).find(|l| pattern!(r"^class\s").is_match(&l.code)).map(|l| l.code.clone());
        let context = file.context_of(at);
        let owner = class.as_deref().unwrap_or(context);
        return name.starts_with('_') || pattern!(r"^class\s+_").is_match(owner) || pattern!(r"^\s*(?:async )?def\s").is_match(owner);
    }
    if file.lang == Lang::Go && pattern!(r"^func \(\w* ?\*?[a-z]").is_match(&line.code) {
        return true;
    }
    name.len() < 3 || matches!(name, "main" | "init" | "setup" | "new" | "toString" | "equals" | "hashCode" | "default" | "run")
}

#[allow(clippy::too_many_arguments)]
fn renamed(view: &View, file: &FileView, at: usize, symbol: &Symbol, new: &[(usize, Symbol)], announced: bool, report: &mut Report) {
    // The name lives on: moved, re-exported, kept as an alias, or still used by what is added.
    if view.adds_word(symbol.name) || announced {
        return;
    }
    let paired = file.lines[at].pair;
    let follower = new.iter().find(|(now, s)| paired == Some(*now) && s.is_function == symbol.is_function);
    let Some((now, other)) = follower else { return };
    let same_parameters = symbol.rest.split_whitespace().collect::<String>() == other.rest.split_whitespace().collect::<String>();
    if !same_parameters && symbol.is_function {
        return;
    }
    let message = format!("The public `{}` is now `{}`, and nothing keeps the old name: callers elsewhere no longer build. Keep an alias that is marked as deprecated.", symbol.name, other.name);
    say(report, file, *now, "renamed-symbol", 62, message);
}

#[allow(clippy::too_many_arguments)]
fn signature(view: &View, file: &FileView, at: usize, now: usize, old: &Symbol, new: &Symbol, announced: bool, report: &mut Report) {
    if announced {
        return;
    }
    let (old_code, new_code) = (&file.lines[at].code, &file.lines[now].code);
    let narrower = pattern!(r"\b(?:internal|private|protected|pub\(crate\)|pub\(super\)|fileprivate|package-private)\b");
    if narrower.is_match(new_code) && !narrower.is_match(old_code) {
        return;
    }
    let (Some(before), Some(after)) = (parameters(file, at), parameters(file, now)) else { return };
    if before == after || before.len() > 12 {
        return;
    }
    let defaults = changed_default(&before, &after);
    if let Some((name, was, is)) = defaults {
        let message = format!("The default of `{name}` in `{}` goes from `{was}` to `{is}`: callers that do not give it get other behaviour without a word. Keep the default, or make it a new name.", old.name);
        say(report, file, now, "changed-default", 64, message);
        return;
    }
    let names: Vec<&str> = before.iter().map(|p| p.name.as_str()).collect();
    let added: Vec<&Parameter> = after.iter().filter(|p| !names.contains(&p.name.as_str())).collect();
    let required = added.iter().find(|p| p.default.is_none() && !p.optional);
    let all_kept = before.iter().all(|p| after.iter().any(|q| q.name == p.name));
    // Callers mended in the same change show a function of the project's own.
    let uses = |l: &crate::view::Source| l.is_added() && is_use(l) && words_of(&l.code).any(|w| w == old.name);
    let called = view.files.iter().filter(|f| !f.place.test && !f.place.docs).flat_map(|f| &f.lines).any(uses);
    if let Some(parameter) = required.filter(|_| all_kept && after.len() > before.len() && !called) {
        let message = format!("`{}` now needs `{}`, so callers elsewhere no longer build. Give it a default, or add a second function.", old.name, parameter.name);
        say(report, file, now, "required-parameter", 58, message);
        return;
    }
    let made_required = after.iter().find(|p| p.default.is_none() && !p.optional && before.iter().any(|q| q.name == p.name && (q.default.is_some() || q.optional)));
    if let Some(parameter) = made_required {
        let message = format!("`{}` of `{}` had a default and no longer has: callers that left it out break. Keep the default.", parameter.name, old.name);
        say(report, file, now, "required-parameter", 66, message);
        return;
    }
    let by_name = matches!(file.lang, Lang::Python | Lang::Kotlin | Lang::CSharp | Lang::Swift | Lang::Ruby | Lang::Php);
    if by_name && before.len() == after.len() && file.lang == Lang::Python {
        let differing: Vec<(&Parameter, &Parameter)> = before.iter().zip(&after).filter(|(a, b)| a.name != b.name).collect();
        if let [(a, b)] = differing.as_slice() {
            if a.default.is_some() && a.default == b.default {
                let message = format!("The parameter `{}` of `{}` is now `{}`: callers that give it by name break. Accept the old name too for a while.", a.name, old.name, b.name);
                say(report, file, now, "renamed-parameter", 64, message);
            }
        }
    }
}

/// A line that uses a name rather than declares it.
fn is_use(line: &crate::view::Source) -> bool {
    !pattern!(r"\b(?:def|fn|func|function|fun)\s|^\s*(?:export|public|protected|private|internal|static)\b").is_match(&line.code)
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
    let optional = head.contains('?') && lang.is_script() || head.starts_with(['*', '&']) && !matches!(lang, Lang::C | Lang::Cpp | Lang::Go | Lang::Rust) || head.contains("...") || head.starts_with("params ")
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
            let plain = |text: &str| pattern!(r#"^(?:-?\d[\d_.]*|True|False|true|false|["'][^"']*["'])$"#).is_match(text);
            if was != is && plain(was) && plain(is) {
                return Some((old.name.clone(), was.clone(), is.clone()));
            }
        }
    }
    None
}

/// Names that stand in JSON, in a database or in configuration.
fn wire_name(file: &FileView, at: usize, announced: bool, report: &mut Report) -> bool {
    let Some(old) = file.pair_of(at) else { return false };
    let tag = pattern!(r#"(?:json|bson|yaml|xml|db|msgpack|form|query|toml):"([\w.-]+)(?:,[^"]*)?"|@(?:JsonProperty|SerializedName|SerialName|XmlElement|Column|Json)\(\s*(?:(?:name|value)\s*=\s*)?"([^"]+)"|\[(?:JsonPropertyName|JsonProperty|DataMember|XmlElement)\(\s*(?:\w+\s*=\s*)?"([^"]+)"|#\[serde\(.*rename\s*=\s*"([^"]+)""#);
    let (Some(before), Some(after)) = (tag.find(&old.live), tag.find(&file.lines[at].live)) else { return false };
    let name = |hit: &crate::pattern::Match| (1..=4).map(|i| hit.group(i).to_owned()).find(|g| !g.is_empty()).unwrap_or_default();
    let (was, is) = (name(&before), name(&after));
    let alias = pattern!(r"(?i)alias|AlternateNames|JsonAlias").is_match(&file.around(at, 1, 2));
    if was == is || was == "-" || alias || announced {
        return false;
    }
    let message = format!("The field is written as `{is}` instead of `{was}`: those who read or send the old name, and stored data, no longer match. Accept both, or keep the old one.");
    say(report, file, at, "renamed-field", 74, message)
}

/// Options, variables and routes that people outside type in.
fn named_outside(view: &View, file: &FileView, at: usize, announced: bool, report: &mut Report) -> bool {
    let Some(old) = file.pair_of(at) else { return false };
    let option = pattern!(r#"(?:add_argument\(|\.option\(|click\.option\(|\.Flags?\(\)\.\w+\(|flag\.\w+\(|#\[(?:arg|clap)\(.*long\s*=\s*|StringVar\w*\(.*?,\s*|BoolVar\w*\(.*?,\s*|IntVar\w*\(.*?,\s*)\s*["'](-{0,2}[\w][\w -]*)"#);
    let variable = pattern!(r#"(?:getenv\(|environ\.get\(|environ\[|process\.env\.|os\.Getenv\(|env::var\(|ENV\[|ENV\.fetch\(|GetEnvironmentVariable\()\s*["']?([A-Z][A-Z0-9_]{3,})"#);
    let route = pattern!(r#"(?:@(?:app|router|bp|blueprint|api)\.(?:route|get|post|put|delete|patch)\(|@(?:Get|Post|Put|Delete|Patch|Request)Mapping\(\s*(?:(?:value|path)\s*=\s*)?|\b(?:router|app|server|r|mux|e|group)\.(?:get|post|put|delete|patch|GET|POST|PUT|DELETE|PATCH|HandleFunc|Handle)\(|\[(?:Route|HttpGet|HttpPost|HttpPut|HttpDelete)\()\s*["'](/?[\w/{}:<>.-]+)["']"#);
    let now = &file.lines[at].live;
    for (kind, pattern, score) in [("option", option, 68), ("variable", variable, 60), ("route", route, 66)] {
        let (Some(before), Some(after)) = (pattern.find(&old.live), pattern.find(now)) else { continue };
        let (was, is) = (before.group(1), after.group(1));
        let still = view.files.iter().filter(|f| !f.place.docs && !f.place.test).flat_map(|f| &f.lines).any(|l| !l.is_removed() && l.live.contains(was) && (l.is_added() || kind != "variable"));
        if was == is || still || announced || kind == "route" && was.len() < 3 {
            continue;
        }
        let message = format!("The {kind} `{was}` is now `{is}`, and the old name is no longer known: scripts and callers that use it break. Accept both for a while.");
        return say(report, file, at, "renamed-outside", score, message);
    }
    if member(file, at, announced, report) {
        return true;
    }
    let constant = pattern!(r"^\s*(?:(?:pub|public|export|static|final|const|let|var|readonly|internal)\s+)*(?:[\w<>&']+\s+)?(?:DEFAULT_\w+|default[A-Z]\w*|Default[A-Z]\w*)(?:\s*:\s*[\w&' <>]+)?\s*(?::=|=)\s*(-?[\d_.]+|true|false|True|False|['\x22][^'\x22]*['\x22])");
    if let (Some(before), Some(after)) = (constant.find(&old.live), constant.find(now)) {
        if before.group(1) != after.group(1) && !announced && is_library(file) {
            let message = format!("The default goes from `{}` to `{}`: whoever relied on it gets other behaviour without a word. Say so in the change log, or keep it.", before.group(1), after.group(1));
            return say(report, file, at, "changed-default", 58, message);
        }
    }
    false
}

/// Members of options, defaults and enumerations.
fn member(file: &FileView, at: usize, announced: bool, report: &mut Report) -> bool {
    let Some(old) = file.pair_of(at) else { return false };
    let now = &file.lines[at];
    let indent = now.indent();
    let Some(opener) = file.above(at, 40).find(|l| !l.is_blank() && l.indent() < indent) else { return false };
    if announced || !is_library(file) {
        return false;
    }
    let field = pattern!(r"^\s*(?:readonly\s+)?(\w+)(\?)?:\s*(.*?)[;,]?\s*$");
    let value = pattern!(r#"^\s*["']?(\w+)["']?\s*[:=]\s*(-?\d[\d_.]*|true|false|True|False|["'][^"']*["'])\s*,?\s*$"#);
    let given = pattern!(r"(?i)\b(?:interface|type)\s+\w*(?:options?|props|config|params|input|request|settings|args)\b");
    if let (Some(before), Some(after)) = (field.find(&old.live), field.find(&now.live)) {
        let same = before.group(1) == after.group(1) && before.group(3) == after.group(3);
        if file.lang == Lang::TypeScript && same && before.group(2) == "?" && after.group(2).is_empty() && given.is_match(&opener.code) {
            let message = format!("`{}` must be given now: callers that left it out no longer build. Keep it optional.", after.group(1));
            return say(report, file, at, "required-parameter", 64, message);
        }
    }
    let (Some(before), Some(after)) = (value.find(&old.live), value.find(&now.live)) else { return false };
    if before.group(1) != after.group(1) || before.group(2) == after.group(2) {
        return false;
    }
    if pattern!(r"\b(?:enum|IntEnum|StrEnum|Enum)\b").is_match(&opener.code) {
        let message = format!("`{}` has another value now: peers and stored data that hold `{}` no longer match. Keep the value.", after.group(1), before.group(2));
        return say(report, file, at, "changed-number", 66, message);
    }
    let defaults = pattern!(r"(?i)\bdefaults?(?:_?(?:options|config|settings|params))?\b\s*(?::\s*[\w<>\[\] ]+)?\s*[:=]");
    if defaults.is_match(&opener.code) {
        let message = format!("The default of `{}` goes from `{}` to `{}`: callers that do not give it get other behaviour without a word. Keep it, or raise the major version.", after.group(1), before.group(2), after.group(2));
        return say(report, file, at, "changed-default", 64, message);
    }
    false
}

/// `__all__`, `export { … }`: a name that is no longer handed out.
fn list_of_exports(view: &View, file: &FileView, at: usize, announced: bool, report: &mut Report) {
    let line = &file.lines[at];
    let index = pattern!(r"(?:^|/)(?:index\.(?:js|ts|mjs|tsx)|__init__\.py|lib\.rs|mod\.ts)$").is_match(file.path);
    let exported = pattern!(r"^\s*export\s+(?:type\s+)?\{([^}]*)\}|^\s*export\s+\*\s+from|^\s*pub use\s+(.*);|^\s*from\s+\.\S*\s+import\s+(.*)|^\s*['\x22](\w+)['\x22],?\s*$");
    if !index || announced {
        return;
    }
    let Some(hit) = exported.find(&line.live) else { return };
    let names = (1..=4).map(|i| hit.group(i)).find(|g| !g.is_empty()).unwrap_or("");
    let listed = !hit.group(4).is_empty();
    if listed && !file.above(at, 60).any(|l| l.code.contains("__all__")) {
        return;
    }
    let lost = words_of(names).find(|w| w.len() > 2 && !matches!(*w, "as" | "from" | "import" | "crate" | "self" | "type" | "default") && !w.starts_with('_') && !view.adds_word(w));
    if let Some(name) = lost.filter(|n| n.chars().next().is_some_and(char::is_alphabetic)) {
        let message = format!("`{name}` is no longer exported, so callers elsewhere no longer build. Keep the export, marked as deprecated.");
        say(report, file, at, "lost-export", 66, message);
    }
}

/// Protocol buffers: numbers and types are what goes over the wire.
fn proto(file: &FileView, report: &mut Report) {
    let field = pattern!(r"^\s*(?:(?:optional|repeated|required)\s+)?([\w.<>, ]+?)\s+(\w+)\s*=\s*(\d+)\s*(?:\[.*\])?;");
    let value = pattern!(r"^\s*([A-Z][A-Z0-9_]*)\s*=\s*(\d+)\s*(?:\[.*\])?;");
    let reserved = file.lines.iter().filter(|l| l.is_added() && l.code.contains("reserved")).map(|l| l.live.as_str()).collect::<String>();
    for at in 0..file.lines.len() {
        let line = &file.lines[at];
        if !line.is_gone() {
            continue;
        }
        let Some(old) = field.find(&line.code) else {
            let Some(old) = value.find(&line.code) else { continue };
            let now = file.lines.iter().enumerate().filter(|(_, l)| l.is_added()).find(|(_, l)| value.find(&l.code).is_some_and(|n| n.group(1) == old.group(1) && n.group(2) != old.group(2)));
            if let Some((now, _)) = now {
                say(report, file, now, "changed-number", 82, format!("`{}` gets another number: programs of the last version read it as something else. Keep the number.", old.group(1)));
                return;
            }
            continue;
        };
        let added: Vec<(usize, &str, &str, &str)> = file.lines.iter().enumerate().filter(|(_, l)| l.is_added()).filter_map(|(i, l)| field.find(&l.code).map(|h| (i, h.group(1), h.group(2), h.group(3)))).collect();
        if let Some((i, ..)) = added.iter().find(|(_, _, name, number)| *name == old.group(2) && *number != old.group(3)) {
            let message = format!("`{}` gets another field number: programs of the last version no longer find it, or read something else. Keep the number.", old.group(2));
            say(report, file, *i, "changed-number", 84, message);
            return;
        }
        if let Some((i, kind, ..)) = added.iter().find(|(_, kind, name, number)| *name == old.group(2) && *number == old.group(3) && *kind != old.group(1)) {
            let message = format!("`{}` is now `{kind}` under the same number: programs of the last version read its bytes as `{}`. Add a new field.", old.group(2), old.group(1));
            say(report, file, *i, "changed-number", 80, message);
            return;
        }
        if let Some((i, ..)) = added.iter().find(|(_, _, name, number)| *name != old.group(2) && *number == old.group(3)) {
            let same_kind = added.iter().any(|(_, kind, _, number)| *number == old.group(3) && *kind == old.group(1));
            let message = format!("Field number {} was `{}` and is used again: programs of the last version read one as the other. Take a new number and reserve the old one.", old.group(3), old.group(2));
            say(report, file, *i, "changed-number", if same_kind { 70 } else { 82 }, message);
            return;
        }
        if !added.iter().any(|(_, _, name, _)| *name == old.group(2)) && !reserved.contains(old.group(3)) {
            let message = format!("`{}` is removed and its number {} is not reserved, so it may be given to something else later. Add `reserved {};`.", old.group(2), old.group(3), old.group(3));
            say(report, file, at, "removed-field", 74, message);
            return;
        }
    }
}

/// GraphQL and OpenAPI: what callers may leave out, and what they may ask for.
fn schema(view: &View, file: &FileView, announced: bool, report: &mut Report) {
    if announced {
        return;
    }
    for at in 0..file.lines.len() {
        let line = &file.lines[at];
        if file.lang == Lang::GraphQl && line.is_new() {
            let field = pattern!(r"^\s*(\w+)(?:\(.*\))?\s*:\s*([\w\[\]!]+)");
            let (Some(new), Some(old)) = (field.find(&line.code), file.pair_of(at).and_then(|old| field.find(&old.code))) else { continue };
            let input = file.above(at, 60).find(|l| pattern!(r"^\s*(?:extend\s+)?(?:input|type|interface)\s").is_match(&l.code)).is_some_and(|l| l.code.contains("input"));
            let required = new.group(2).ends_with('!') && !old.group(2).ends_with('!') && input;
            let nullable = !new.group(2).ends_with('!') && old.group(2).ends_with('!') && !input;
            if new.group(1) == old.group(1) && (required || nullable) {
                let message = format!("`{}` is now {}: callers that rely on the old shape break.", new.group(1), if required { "required" } else { "nullable" });
                say(report, file, at, "required-parameter", 66, message);
                return;
            }
        } else if file.lang == Lang::GraphQl && line.is_gone() && line.pair.is_none() {
            let field = pattern!(r"^\s+(\w+)(?:\(.*\))?\s*:\s*[\w\[\]!]+");
            if let Some(hit) = field.find(&line.code).filter(|hit| !view.adds_word(hit.group(1))) {
                let message = format!("`{}` is removed from the schema: queries that ask for it fail. Mark it `@deprecated` first.", hit.group(1));
                say(report, file, at, "removed-field", 64, message);
                return;
            }
        } else if line.is_new() && file.lang != Lang::GraphQl && pattern!(r"^\s*\x22?required\x22?\s*:\s*true").is_match(&line.live) {
            if file.pair_of(at).is_some_and(|old| old.live.contains("false")) {
                say(report, file, at, "required-parameter", 70, "Callers that leave this out are now refused. Keep it optional.".to_owned());
                return;
            }
        }
    }
}

/// package.json: the ways in.
fn package(file: &FileView, announced: bool, report: &mut Report) {
    if announced || file.is_new_file() {
        return;
    }
    let own = file.lines.iter().any(|l| l.text().contains("\"private\": true"));
    for at in 0..file.lines.len() {
        let line = &file.lines[at];
        if line.is_new() && pattern!(r#"^\s{0,4}"type"\s*:\s*"module""#).is_match(line.text()) && !own {
            say(report, file, at, "changed-entry", 66, "The package can no longer be loaded by `require`. Offer both forms by `exports`, or raise the major version.".to_owned());
            return;
        }
        let entry = pattern!(r#"^\s*"(\./[\w./*-]+)"\s*:\s*[{"]"#);
        if line.is_gone() && line.pair.is_none() && !own {
            if let Some(hit) = entry.find(line.text()).filter(|_| file.above(at, 40).any(|l| l.text().contains("\"exports\""))) {
                let message = format!("`{}` can no longer be imported from this package. Keep the entry, or raise the major version.", hit.group(1));
                say(report, file, at, "changed-entry", 66, message);
                return;
            }
        }
    }
}
